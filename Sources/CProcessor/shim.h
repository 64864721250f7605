#pragma once
// What processors can do and Swift has no word for.

// Asks for the cache line of an address, which is about to be written, and does not wait for it. No fault, whatever
// the address.
static inline void weir_prefetch_for_write(const void *address) { __builtin_prefetch(address, 1); }

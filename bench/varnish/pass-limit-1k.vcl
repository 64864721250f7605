# Counts every request by address, at a rate that is never reached.
sub vcl_recv {
    if (vsthrottle.is_denied(client.ip, 1000000000, 10s)) { return (synth(429)); }
    return (pass);
}

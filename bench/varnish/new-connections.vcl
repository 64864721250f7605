sub vcl_recv {
    # Otherwise the import of the limiter is unused, which is an error.
    if (req.method == "THROTTLED" && vsthrottle.is_denied("", 1, 1s)) { return (synth(429)); }
    return (pass);
}

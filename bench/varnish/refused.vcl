sub vcl_recv {
    if (vsthrottle.is_denied(client.ip, 1, 1h)) { return (synth(429)); }
    return (pass);
}

# What all scenarios share. One pool of threads; connections to the origin are kept.
vcl 4.1;
import vsthrottle;

backend default {
    .host = "127.0.0.1";
    .port = "@ORIGIN@";
}

@SCENARIO@

sub vcl_deliver {
    if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; }
}

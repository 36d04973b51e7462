"""URLs that strangers try, each with the reason why it is refused, or with where it leads."""

LOOPBACK = "a loopback address"
METADATA = "a link-local address (cloud metadata)"
PRIVATE = "a private address"
UNSPECIFIED = "an unspecified address"
MAPPED = "an IPv4-mapped address"
NAT64 = "a NAT64 address"
SIX_TO_FOUR = "a 6to4 address"
PROTOCOL = "a protocol address"
NOT_GLOBAL = "an address that is not global"
NO_HOST = "the URL has no valid host name"
NO_URL = "not a URL"
LOGIN = "the URL contains credentials"
CONTROL = "a backslash or a control character"
SCHEME = "the scheme is"
PORT = "allowed are 80, 443 (net.ports)"
PRIVATE_NAME = "is a name of"
OWN_NAME = "is this machine's own name"
NO_DOMAIN = "is a name without a domain"

REFUSED: dict[str, tuple[str, ...]] = {
    # Every special range, at both ends.
    UNSPECIFIED: ("http://0.0.0.0/", "http://0.0.0.0:80/", "http://0.255.255.255/", "http://[::]/", "http://[0::0]/"),
    PRIVATE: (
        *("http://10.0.0.0/", "http://10.255.255.255/", "http://172.16.0.0/", "http://172.31.255.255/"),
        *("http://192.168.0.0/", "http://192.168.255.255/", "http://[fc00::]/", "http://[fdff:ffff::1]/"),
        *("http://[fd00:ec2::254]/latest/meta-data/", "http://[fd20:ce::254]/"),  # metadata of EC2 and of Google
    ),
    "a shared (carrier) address": (
        *("http://100.64.0.0/", "http://100.127.255.255/"),
        "http://100.100.100.200/latest/meta-data/",  # metadata of Alibaba
    ),
    LOOPBACK: (
        *("http://127.0.0.0/", "http://127.0.0.1/", "https://127.0.0.1/", "http://127.255.255.255/"),
        *("http://127.0.0.1:8700/files/x", "http://127.0.0.1:6379/", "http://127.0.0.1:", " http://127.0.0.1/ "),
        *("http://[::1]/", "http://[0:0:0:0:0:0:0:1]/", "http://[0000:0000:0000:0000:0000:0000:0000:0001]/"),
        *("http://[::1]:80/", "http://[::0.0.0.1]/"),
        # what stands behind #, ? and / is no host
        *("http://127.0.0.1#@8.8.8.8/", "http://127.0.0.1?@8.8.8.8/", "http://127.0.0.1/@8.8.8.8/"),
        *("http://127.0.0.1#.example.com/", "http://127.0.0.1?.example.com"),
        # full stops and digits that IDNA makes plain
        *("http://１２７.０.０.１/", "http://127。0。0。1/", "http://127．0．0．1/", "http://127｡0｡0｡1/"),
        *("http://①②⑦.⓪.⓪.①/", "http://𝟏𝟐𝟕.𝟎.𝟎.𝟏/", "http://¹²⁷.⁰.⁰.¹/"),
    ),
    "a cloud metadata address": ("http://168.63.129.16/", "http://168.63.129.16/machine?comp=goalstate"),
    METADATA: (
        *("http://169.254.0.0/", "http://169.254.255.255/", "http://169.254.169.254/latest/meta-data/"),
        *("http://169.254.170.2/v2/credentials", "http://169.254.169.253/", "http://169.254.0.23/"),
        "http://１６９。２５４。１６９。２５４/",
    ),
    "a documentation address": (
        *("http://192.0.2.0/", "http://192.0.2.255/", "http://198.51.100.0/", "http://198.51.100.255/"),
        *("http://203.0.113.0/", "http://203.0.113.255/", "http://[2001:db8::]/", "http://[2001:db8:ffff::1]/"),
        *("http://[3fff::]/", "http://[3fff:fff:ffff::1]/"),
    ),
    "a benchmarking address": ("http://198.18.0.0/", "http://198.19.255.255/"),
    "a 6to4 relay address": ("http://192.88.99.0/", "http://192.88.99.255/"),
    "a multicast address": (
        *("http://224.0.0.0/", "http://239.255.255.255/", "http://[ff00::]/", "http://[ff02::1]/", "http://[ff0e::1]/"),
    ),
    "a reserved address": ("http://240.0.0.0/", "http://255.255.255.254/", "http://255.255.255.255/"),
    "a link-local address": ("http://[fe80::]/", "http://[fe80::a9fe:a9fe]/", "http://[febf:ffff::1]/"),
    "a site-local address": ("http://[fec0::]/", "http://[feff:ffff::1]/"),
    "a discard address": ("http://[100::]/", "http://[100::ffff]/"),
    PROTOCOL: (
        *("http://192.0.0.0/", "http://192.0.0.192/opc/v2/instance/", "http://192.0.0.255/"),  # metadata of Oracle
        "http://[2001::]/",
        "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",  # Teredo
        *("http://[2001:2::1]/", "http://[2001:10::1]/", "http://[2001:20::1]/", "http://[2001:1ff:ffff::1]/"),
    ),
    # An IPv4 address inside an IPv6 one, in every dress: also the public ones, for nobody needs them.
    MAPPED: (
        *("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[0:0:0:0:0:ffff:127.0.0.1]/"),
        *("http://[::ffff:169.254.169.254]/", "http://[::ffff:a9fe:a9fe]/", "http://[::FFFF:10.0.0.1]/"),
        *("http://[::ffff:0.0.0.0]/", "http://[::ffff:8.8.8.8]/"),
    ),
    NAT64: (
        *("http://[64:ff9b::127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[64:ff9b::a9fe:a9fe]/"),
        *("http://[64:ff9b::8.8.8.8]/", "http://[64:ff9b:1::]/", "http://[64:ff9b:1:a9fe:a9:fe00::]/"),
    ),
    SIX_TO_FOUR: ("http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::]/", "http://[2002:a00:1::1]/"),
    NOT_GLOBAL: (
        *("http://[::127.0.0.1]/", "http://[::7f00:1]/", "http://[::ffff:0:127.0.0.1]/"),  # compatible; translated
        *("http://[4000::1]/", "http://[5f00::1]/", "http://[8000::1]/", "http://[1fff::1]/"),
    ),
    # Old spellings of an address, which some resolvers take: never ours to guess.
    NO_HOST: (
        *("http://2130706433/", "http://4294967295/", "http://4294967297/", "http://2852039166/latest/meta-data/"),
        *("http://0/", "http://00/", "http://1/", "http://0x0/", "http://0x/", "http://127.1/", "http://127.0.1/"),
        *("http://127.65530/", "http://10.1/", "http://169.254.43518/", "http://169.16689662/"),
        *("http://0177.0.0.1/", "http://0177.1/", "http://017700000001/", "http://010.0.0.1/", "http://127.0.0.01/"),
        *("http://127.000.000.001/", "http://0251.0376.0251.0376/", "http://0000.0000.0000.0000/"),
        *("http://0x7f000001/", "http://0x7f.1/", "http://0x7F.0x0.0x0.0x1/", "http://127.0.0.0x1/"),
        *("http://0xa9fea9fe/", "http://0xa9.0xfe.0xa9.0xfe/", "http://0x00000000000000007f000001/"),
        *("http://127.0.0.1./", "http://127.0.0.1../", "http://1.2.3.4.5/", "http://256.256.256.256/"),
        *("http://１２７.1/", "http://1。1/", "http://%31%32%37.0.0.1/", "http://127%2e0%2e0%2e1/"),
        *("http://127.0.0.1%00.example.com/", "http://%6c%6f%63%61%6c%68%6f%73%74/"),
        # zones name our own interfaces
        *("http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[::1%25lo]/", "http://[::ffff:7f00:1%25lo]/"),
        "http://[2606:4700::1111%25eth0]/",
        # no host, or no host's name
        *(
            "http://",
            "http:///path",
            "http:///127.0.0.1/",
            "http:////127.0.0.1/",
            "http:127.0.0.1/",
            "http:/127.0.0.1/",
        ),
        *(
            "http://[v1.x]/",
            "http://./",
            "http://...../",
            "http://.example.com/",
            "http://example..com/",
            "http://example.com../",
        ),
        *("http://-a.example.com/", "http://a-.example.com/", "http://exa mple.com/", "http://example.com /"),
        *("http://exa$mple.com/", "http://ex*mple.com/", "http://example.com,127.0.0.1/"),
        *("http://example.com;127.0.0.1/", "http://example.com|127.0.0.1/", "http://example.com%09/"),
        *("http://example.com%00/", "http://example.com^/", 'http://example.com"/', "http://8.8.8.8%40127.0.0.1/"),
        f"http://{'a' * 260}.example/",
    ),
    NO_URL: (
        *("http://[::1", "http://::1/", "http://0000::1/", "http://[]/", "http://[127.0.0.1]/"),
        *("http://[::1].example.com/", "http://[1::2::3]/", "http://[12345::1]/", "http://[::ffff:127.1]/"),
        *("http://[::ffff:0x7f.0.0.1]/", "http://[::1]x/", "http://8.8.8.8:80:80/", "http://8.8.8.8:65536/"),
        *("http://8.8.8.8:-1/", "http://8.8.8.8:+80/", "http://8.8.8.8:8_0/", "http://8.8.8.8:８０/"),
        *("http://8.8.8.8: 80/", "http://8.8.8.8:0x50/", "http://8.8.8.8:80.0/", "http://8.8.8.8:http/"),
        *("http://8.8.8.8:00000000000000000080/", "http://[]@", "http://[::1]@/"),
        # characters that turn into part of a URL when they are made plain, or that are not seen
        *("http://example.com／x@127.0.0.1/", "http://example.com：80/", "http://example.com＠127.0.0.1/"),
        *("http://example.com＃@127.0.0.1/", "http://evil.c℀.example.com/", "http://loc\u00adalhost/"),
        *("http://\u202eexample.com/", "http://a\u200db.example/"),
        # punycode that decodes to nothing, to what is not allowed, or to something else
        *("http://xn--0.example/", "http://xn--a.example/", "http://xn--a-.example/", "http://xn--/"),
    ),
    LOGIN: (
        *("http://user@127.0.0.1/", "http://user:pass@8.8.8.8/", "http://8.8.8.8@127.0.0.1/", "http://@8.8.8.8/"),
        *("http://127.0.0.1@8.8.8.8/", "http://:@8.8.8.8/", "http://8.8.8.8:80@127.0.0.1/", "http://a@b@8.8.8.8/"),
        *("http://8.8.8.8:@127.0.0.1/", "http://127.0.0.1;@8.8.8.8/", "http://8.8.8.8&@127.0.0.1#@8.8.8.8/"),
        *("http://example.com%2f@127.0.0.1/", "https://example.com%20@[::1]/", "http://example.com:80@[::1]:80/"),
    ),
    CONTROL: (
        *("http://8.8.8.8\\@127.0.0.1/", "http:\\\\127.0.0.1\\", "http:/\\127.0.0.1/", "/\\127.0.0.1/"),
        *("http://example.com\\.127.0.0.1/", "http://8.8.8.8/\\..\\x", "ht\ttp://127.0.0.1/", "http://127.0.\n0.1/"),
        *("http://8.8.8.8/\r\nHost: 127.0.0.1", "http://8.8.8.8/\x00", "http://8.8.8.8\t/", "\x00http://8.8.8.8/"),
        *("http://8.8.8.8/\x7f", "\nhttp://127.0.0.1/", "http://8.8.8.8:8\t0/"),
    ),
    SCHEME: (
        *("", "127.0.0.1", "127.0.0.1:80", "//127.0.0.1/", "///127.0.0.1", "localhost:80/x", "http ://8.8.8.8/"),
        *("file:///etc/passwd", "FILE:///etc/passwd", "file://localhost/etc/passwd", "file:/etc/passwd"),
        *("ftp://8.8.8.8/x", "sftp://8.8.8.8/x", "gopher://127.0.0.1:6379/_INFO", "dict://127.0.0.1:11211/stat"),
        *("ldap://8.8.8.8/", "tftp://8.8.8.8/x", "ws://8.8.8.8/", "wss://8.8.8.8/", "httpx://8.8.8.8/", "jdbc:x"),
        *("unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "s3://bucket/key"),
        *("jar:http://8.8.8.8!/x", "view-source:http://8.8.8.8/", "blob:http://8.8.8.8/x", "url:http://127.0.0.1/"),
        *("data:image/png;base64,AAAA", "javascript:alert(1)", "netdoc:///etc/passwd", "concat:a|b", "tel:123"),
    ),
    PORT: (
        *("http://8.8.8.8:22/", "http://8.8.8.8:25/", "http://8.8.8.8:6379/", "https://8.8.8.8:8443/"),
        *("http://8.8.8.8:0/", "http://8.8.8.8:65535/", "http://8.8.8.8:2375/", "http://[2606:4700::1111]:11211/"),
        *("http://example.com:3306/", "https://example.com:9200/"),
    ),
    # Names, before anybody is asked where they lie.
    OWN_NAME: (
        *(
            "http://localhost/",
            "http://LOCALHOST/",
            "http://localhost./",
            "http://a.localhost/",
            "https://localhost:443/",
        ),
        *("http://ｌｏｃａｌｈｏｓｔ/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "http://localhost。/", "http://localhoſt/"),
    ),
    PRIVATE_NAME: (
        *("http://metadata.google.internal/computeMetadata/v1/", "http://METADATA.GOOGLE.INTERNAL./"),
        *("http://metadata。google。internal/", "http://instance-data.ec2.internal/", "http://host.docker.internal/"),
        *("http://redis.default.svc.cluster.local/", "http://printer.local/", "http://router.home.arpa/"),
        "http://facebookcorewwwi.onion/",
    ),
    NO_DOMAIN: ("http://metadata/", "http://instance-data/latest/", "http://redis/", "http://intranet/", "http://a/"),
}

LEADS_TO = {
    "http://8.8.8.8/": ("8.8.8.8", 80),
    "HTTP://8.8.8.8/": ("8.8.8.8", 80),
    "https://8.8.8.8/": ("8.8.8.8", 443),
    "https://8.8.8.8:80/": ("8.8.8.8", 80),
    "http://8.8.8.8:443/": ("8.8.8.8", 443),
    "http://8.8.8.8:080/": ("8.8.8.8", 80),
    "http://8.8.8.8:/": ("8.8.8.8", 80),
    "http://8.8.8.8#@127.0.0.1/": ("8.8.8.8", 80),
    "http://8.8.8.8?@127.0.0.1/": ("8.8.8.8", 80),
    "http://8.8.8.8/@127.0.0.1/": ("8.8.8.8", 80),
    "http://8.8.8.8/?url=http://127.0.0.1/": ("8.8.8.8", 80),
    "http://[2606:4700::1111]/": ("2606:4700::1111", 80),
    "https://[2606:4700:0::0:1111]:443/": ("2606:4700::1111", 443),
    "http://EXAMPLE.com/": ("example.com", 80),
    "http://example.com./": ("example.com.", 80),
    "http://a_b.example.com/": ("a_b.example.com", 80),
    "http://bücher.example/": ("xn--bcher-kva.example", 80),
    "http://xn--bcher-kva.example/": ("xn--bcher-kva.example", 80),
    "http://ﬁle.example/": ("file.example", 80),
    "http://example.com∕x/": ("example.xn--comx-id9a", 80),
    "http://169.254.169.254.example.com/": ("169.254.169.254.example.com", 80),
    "http://localhost.example.com/": ("localhost.example.com", 80),
    "http://172.15.255.255/": ("172.15.255.255", 80),
    "http://172.32.0.0/": ("172.32.0.0", 80),
    "http://100.63.255.255/": ("100.63.255.255", 80),
    "http://100.128.0.0/": ("100.128.0.0", 80),
    "http://168.63.129.17/": ("168.63.129.17", 80),
    "http://169.253.255.255/": ("169.253.255.255", 80),
    "http://223.255.255.255/": ("223.255.255.255", 80),
    "http://[2001:200::1]/": ("2001:200::1", 80),
    "http://[2003::1]/": ("2003::1", 80),
}
"""What looks odd and is nevertheless public, and the neighbours of the special ranges: host and port of the target."""

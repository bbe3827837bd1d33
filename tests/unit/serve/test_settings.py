import hashlib

import pytest

from emopy.errors import InputError
from emopy.serve import ServeSettings
from emopy.serve.settings import is_loopback, read_keys

FIRST, SECOND = "0123456789abcdef", "#!key-with-a-#-inside"


@pytest.mark.parametrize(
    "given, words",
    [
        ({"workers": 0}, "`workers` must be 1 or more. Received 0."),
        ({"queue": 0}, "`queue` must be 1 or more"),
        ({"streams": -1}, "`streams` must be 1 or more"),
        ({"max_bytes": 0}, "`max_bytes` must be 1 or more"),
        ({"timeout_s": 0}, "`timeout_s` must be a number above 0"),
        ({"timeout_s": float("inf")}, "`timeout_s` must be a number above 0"),
        ({"timeout_s": float("nan")}, "`timeout_s` must be a number above 0"),
        ({"drain_s": -1}, "`drain_s` must be a number from 0"),
        ({"drain_s": float("inf")}, "`drain_s` must be a number from 0"),
        *[
            ({"names": (name,)}, "`names` must be host names without port")
            for name in ("", "a.example:80", "https://a.example", "*.a.example", "a..b", "a b")
        ],
        ({"origins": ("*",)}, "`origins` must be origins of web pages. Received '\\*'"),
        ({"origins": ("https://a.example/",)}, "Type for example: https://example.org"),
        ({"origins": ("a.example",)}, "`origins`"),
        ({"origins": ("null",)}, "`origins`"),
    ],
)
def test_settings_out_of_range_are_refused(given, words):
    with pytest.raises(InputError, match=words):
        ServeSettings(**given)


@pytest.mark.parametrize(
    "host, expected",
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(host, expected):
    assert is_loopback(host) is expected
    assert ServeSettings(host=host).is_loopback is expected


def test_keys_are_kept_as_digests_only(tmp_path):
    path = tmp_path / "keys"
    path.write_bytes(f"\ufeff{FIRST}\r\n\r\n# a comment\n  {SECOND[1:]}  \n".encode())
    expected = tuple(hashlib.sha256(key.encode()).digest() for key in (FIRST, SECOND[1:]))
    assert read_keys(path) == expected


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "`path` must hold a key on each line"),
        (b"# only a comment\n\n", "openssl rand -hex 24 > "),
        (b"short\n", "keys of 16 characters or more. Received one of 5."),
        (f"{FIRST}\nwith a space in it\n".encode(), "printable ASCII characters without spaces"),
        (f"{FIRST}é\n".encode(), "printable ASCII"),
        (b"\xff\xfe\x00", "it is not text"),
    ],
)
def test_files_without_good_keys_are_refused(tmp_path, content, words):
    path = tmp_path / "keys"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read_keys(path)
    assert FIRST not in str(error.value)
    with pytest.raises(InputError, match="`path` must be a file of keys"):
        read_keys(tmp_path / "none")

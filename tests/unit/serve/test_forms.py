import pytest

from emopy.serve.forms import Part, read_parts
from emopy.serve.problems import ProblemDetails

KIND = "multipart/form-data; boundary=b"


def form(*parts, boundary="b"):
    lines = [f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts]
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


def part(parameters, content=b"x", more=""):
    return f"Content-Disposition: form-data{parameters}\r\n{more}\r\n".encode() + content


@pytest.mark.parametrize(
    "parameters, name, file",
    [
        ('; name="file"; filename="a.png"', "file", "a.png"),
        ("; name=file; filename=a.png", "file", "a.png"),
        ('; filename="a;b=\\"c\\".png"; name="file"', "file", 'a;b="c".png'),
        ('; name="file"; filename=""', "file", ""),
        ('; name="file"', "file", None),
        ('; name=""', "", None),
        ('; name="größe"; filename="Gesicht 😀.png"', "größe", "Gesicht 😀.png"),
        ('; name="a; filename=\\"no.png\\""', 'a; filename="no.png"', None),
        ('; name="f"; filename="C:\\faces\\a.png"', "f", "C:\\faces\\a.png"),
        (' ; NAME="f" ;  filename = "no.png"; filename="a.png"', "f", "a.png"),
        ('; name="f"; filename="a.png"; filename*=UTF-8\'\'b.png', "f", "a.png"),
    ],
)
def test_names_are_read_as_clients_write_them(parameters, name, file):
    assert read_parts(KIND, form(part(parameters)), most=1) == [Part(name, file, b"x")]


@pytest.mark.parametrize(
    "content", [b"", b"\r\n", b"-b", b"\r\n--", b"\r\n-b", b"\0" * 999, b"\r\n\r\n", b"x\r\n--c--"]
)
def test_content_is_kept_byte_by_byte(content):
    body = form(part('; name="a"', content, "Content-Type: image/png\r\n"), part('; name="b"'))
    assert [each.content for each in read_parts(KIND, body, most=2)] == [content, b"x"]


@pytest.mark.parametrize(
    "kind, boundary",
    [
        ("multipart/form-data; boundary=b", "b"),
        ('multipart/form-data; charset=utf-8; Boundary="b c"', "b c"),
        ("multipart/form-data;boundary=---------------------------9051914041544843365972754266",
         "---------------------------9051914041544843365972754266"),
        ("multipart/form-data; boundary=a'()+_,-./:=?9; x=y", "a'()+_,-./:=?9"),
    ],
)  # fmt: skip
def test_boundaries_are_read_as_clients_write_them(kind, boundary):
    body = form(part('; name="a"'), boundary=boundary)
    assert read_parts(kind, b"a preamble\r\n" + body + b"an epilogue", most=1)[0].name == "a"


def test_a_form_may_be_empty():
    assert read_parts(KIND, form(), most=1) == []


@pytest.mark.parametrize(
    "kind, body, words",
    [
        ("multipart/form-data", form(), "Content-Type must name its boundary"),
        ("multipart/form-data; boundary=", form(), "Content-Type must name its boundary"),
        (f"multipart/form-data; boundary={'b' * 71}; x", b"", "boundary"),
        (KIND, b"", "It does not have its boundary"),
        (KIND, b"--c\r\n", "It does not have its boundary"),
        (KIND, form(part('; name="a"'))[:-6], "It has no end"),
        (KIND, b"--b\r\n" + part('; name="a"'), "It has no end"),
        (KIND, form(b"x"), "A part has no head"),
        (KIND, form(part('; name="a"')).replace(b"--b\r", b"--bx\r", 1), "A part has no head"),
        (KIND, form(part('; name="a"', more="X: " + "x" * 9000 + "\r\n")), "A part has no head"),
        (KIND, form(part("")), "A part has no name"),
        (KIND, form(part('; filename="a"')), "A part has no name"),
        (KIND, form(b'Content-Disposition: attachment; name="a"\r\n\r\nx'), "A part has no name"),
        (KIND, form(b'X: a\r\n\r\nContent-Disposition: form-data; name="a"'), "no name"),
    ],
)
def test_damaged_forms_are_400(kind, body, words):
    with pytest.raises(ProblemDetails, match=words) as problem:
        read_parts(kind, body, most=9)
    assert problem.value.status == 400


def test_too_many_parts_are_422():
    body = form(*[part('; name="a"')] * 4)
    assert len(read_parts(KIND, body, most=4)) == 4
    with pytest.raises(ProblemDetails, match="at most 3 parts") as problem:
        read_parts(KIND, body, most=3)
    assert problem.value.status == 422

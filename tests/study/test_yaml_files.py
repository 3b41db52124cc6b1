import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from skelnas.errors import InputError
from skelnas.study.yaml_files import parse, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("00123", 123),
        ("010", 10),
        ("-007", -7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", 1000),
        ("1:30", "1:30"),
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("1.0", 1.0),
        (".5", 0.5),
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("2024-01-31", "2024-01-31"),
        ("'010'", "010"),
        ("[001, 010, 012]", [1, 10, 12]),
    ],
)
def test_scalars_are_what_is_typed(text, value):
    found = parse(f"a: {text}", "x.yaml")[0]["a"]
    assert (found, type(found)) == (value, type(value))


def test_keys_are_what_is_typed_and_everything_has_its_line():
    values, places = parse("12:\n  no: 1\n  007: [a,\n    0b1]\n'x': {~: y}\n2024-01-31: 0\n", "x.yaml")
    assert values == {"12": {"no": 1, "007": ["a", 1]}, "x": {"~": "y"}, "2024-01-31": 0}
    assert str(places["12:"]) == "x.yaml, line 1"
    assert str(places["12.007[1]"]) == "x.yaml, line 4"
    assert places["12.007[1]"].text == "0b1"


def test_anchors_and_merges():
    values, places = parse("a: &a {b: 1, c: 2}\nd:\n  <<: *a\n  c: 3\ne: [*a]\nf: {<<: [{b: 7}, *a]}\n", "x.yaml")
    assert values["d"] == {"b": 1, "c": 3}
    assert values["e"] == [{"b": 1, "c": 2}]
    assert values["f"] == {"b": 7, "c": 2}
    assert (places["d.b"].line, places["d.c"].line) == (1, 4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", r"x\.yaml: a stands twice, in the lines 1 and 3; delete one or join them"),
        ("a:\n  b: {c: 1, c: 1}\n", r"x\.yaml: a\.b\.c stands twice, in the lines 2 and 2"),
        ("a: {}\n'a': {}\n", r"a stands twice, in the lines 1 and 2"),
        ("a: 1\nb: .inf\n", r"x\.yaml, line 2: b is \.inf; write a finite number"),
        ("a: [-.INF]", r"line 1: a\[0\] is -\.INF; write a finite"),
        ("a: .nan", r"a is \.nan; write a finite number"),
        ("a: 1e999", r"a is 1e999; write a finite number"),
        ("a: " + 5000 * "9", r"line 1: a is '9{40}', which is no number"),
        ("? [a]\n: 1\n", r"line 1: the top level has a key that is no name"),
        ("a:\n  : 1\n", r"line 2: a has a key that is no name"),
        ("a: !!python/object:os.system x", r"line 1: a has the tag tag:yaml\.org,2002:python/object:os\.system; leave"),
        ("a: &a [*a]", r"line 1: a\[0\] holds itself; write it out"),
        ("a: &a {b: *a}", r"a\.b holds itself"),
        ("a: 1\n\tb: 2\n", r"x\.yaml, line 2: this is no YAML"),
        ("a: [1\nb: 2", r"x\.yaml, line \d: this is no YAML"),
        ("a: *b", r"x\.yaml, line 1: this is no YAML \(found undefined alias"),
        ("a: 1\n---\nb: 2\n", r"x\.yaml, line \d: this is no YAML \(expected a single document"),
        ("a: \x07", r"x\.yaml is no YAML"),
        ("a: {<<: 1}", r"line 1: a\.<< merges what is no block"),
        (500 * "[" + 500 * "]", r"x\.yaml is no YAML that can be read \(lists within"),
        ("\n".join(f"k{n}: &k{n} [{9 * f'*k{n - 1},' if n else 'x'}]" for n in range(9)), "more than 100,000 values"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(text, words):
    with pytest.raises(InputError, match=words) as caught:
        parse(text, "x.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: ü\n".encode("latin-1"), r"x\.yaml, line 1: this is no UTF-8; save the file with the encoding UTF-8"),
        ("a: 1\nb: ü\n".encode("cp1252"), r"x\.yaml, line 2: this is no UTF-8"),
        ("a: 1\n".encode("utf-16"), r"x\.yaml, line 1: this is no UTF-8"),
        ("a: 1\n".encode("utf-16-be"), r"x\.yaml is no YAML"),
        (b"", r"x\.yaml holds no configuration"),
        (b"- a\n", r"x\.yaml holds no configuration"),
        (None, r"x\.yaml is missing; correct its name"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, content, words):
    if content is not None:
        (tmp_path / "x.yaml").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_yaml(tmp_path / "x.yaml")


def test_a_folder_in_place_of_a_file_and_a_byte_order_mark(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory\)"):
        read_yaml(tmp_path)
    (tmp_path / "x.yaml").write_text("a: ü\n", encoding="utf-8-sig")
    assert read_yaml(tmp_path / "x.yaml")[0] == {"a": "ü"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet=st.characters(codec="utf-8"), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z]\w*", fullmatch=True), inner),
    max_leaves=6,
)


@settings(max_examples=30)
@given(st.dictionaries(st.from_regex(r"[a-z0-9_-]+", fullmatch=True), VALUES, min_size=1, max_size=3))
def test_what_a_writer_quotes_is_read_as_it_was(values):
    assert parse(yaml.safe_dump(values, default_style='"', allow_unicode=False), "x.yaml")[0] == _as_text(values)


def _as_text(value):
    """What a writer that quotes everything leaves: tags keep the types of scalars, keys are texts."""
    if isinstance(value, dict):
        return {str(key): _as_text(part) for key, part in value.items()}
    return [_as_text(part) for part in value] if isinstance(value, list) else value


@given(st.text(alphabet=st.sampled_from("a:-[]{}&*#!|>'\"%@`, \n\t0.1\\?~<"), max_size=40))
def test_any_text_gives_values_or_one_sentence(text):
    try:
        parse(text, "x.yaml")
    except InputError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message

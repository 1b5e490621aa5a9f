from __future__ import annotations

import time
from pathlib import Path
from textwrap import dedent

import pytest

from srscope.degradations.blur import GaussianBlur
from srscope.degradations.catalogue import load_suite
from srscope.degradations.jpeg import Jpeg
from srscope.degradations.noise import GaussianNoise
from srscope.degradations.suite import DegradedSet
from srscope.errors import FileProblem
from srscope.runtime.yaml_file import LARGEST_FILE

WHOLE = """
name: my-suite
blur_applied_to: hr
quantized: false
sets:
  - name: clean
  - name: both
    steps:
      - kind: gaussian-blur
        sigma: [2, 4]
      - kind: gaussian-noise
        sigma: 10
  - name: jpeg
    steps:
      - {kind: jpeg, quality: [20, 90], subsampling: "4:4:4"}
  - name: films
    folder: frames/old
  - name: photos
    folder: bundled:historic
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "my own.yaml"
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return path

    return write


def test_whole_file(write, tmp_path: Path) -> None:
    suite = load_suite(write(WHOLE))
    assert (suite.name, suite.blur_applied_to, suite.quantized) == ("my-suite", "hr", False)
    assert suite.sets == (
        DegradedSet(name="clean"),
        DegradedSet(name="both", steps=(GaussianBlur(sigma=(2, 4)), GaussianNoise(sigma=10))),
        DegradedSet(name="jpeg", steps=(Jpeg(quality=(20, 90), subsampling="4:4:4"),)),
        DegradedSet(name="films", folder=str(tmp_path / "frames/old")),
        DegradedSet(name="photos", folder="bundled:historic"),
    )


def test_short_file_and_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "quick.yml"
    path.write_bytes(b"\xef\xbb\xbfsets: [{name: clean}]\r\n")  # as Windows editors save it
    suite = load_suite(str(path))
    assert (suite.name, suite.blur_applied_to, suite.quantized) == ("quick", "lr", True)


def test_absolute_folder_stays(write) -> None:
    (folder,) = load_suite(write("name: a\nsets: [{name: b, folder: /frames}]")).sets
    assert folder.folder == str(Path("/frames"))


ONE_STEP = "name: a\nsets:\n  - name: b\n    steps:\n      - "
BOMB = "a: &a [x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # unknown keys, with near matches
        ("name: a\nset: []", "unknown key of the suite 'set'; did you mean 'sets'?"),
        (
            "name: a\nsets: [{name: b, step: []}]",
            "unknown key of set 1 'step'; did you mean 'steps",
        ),
        (ONE_STEP + "{kind: gaussian-blurr}", "unknown degradation 'gaussian-blurr'; did you mean"),
        (
            ONE_STEP + "{kind: gaussian-blur, sigm: 2}",
            "step 1 of set 'b': unknown parameter of gaussian-blur 'sigm'; did you mean 'sigma'",
        ),
        # missing
        ("name: a", "sets of the suite must be a list of sets, but is None; it is missing"),
        ("name: a\nsets: [{steps: []}]", "name of set 1 must be text, but is None; it is missing"),
        (ONE_STEP + "{sigma: 2}", "kind of step 1 of set 'b' must be the name of a degradation"),
        (
            ONE_STEP + "{kind: gaussian-blur}",
            "sigma of step 1 of set 'b' must be given, but is None",
        ),
        # wrong types
        ("", "the suite must be a mapping (key: value), but is None"),
        ("- name: a", "the suite must be a mapping"),
        ("just text", "the suite must be a mapping (key: value), but is 'just text'"),
        ("name: 3\nsets: []", "name of the suite must be text, but is 3"),
        ("name: on\nsets: []", "name of the suite must be text, but is True"),
        ("name: a\nsets: {b: 1}", "sets of the suite must be a list of sets, but is {'b': 1}"),
        ("name: a\nsets: [b]", "set 1 must be a mapping (key: value), but is 'b'"),
        ("name: a\nsets: [{name: b, steps:}]", "steps of set 1 must be a list of degradations"),
        ("name: a\nsets: [{name: b, folder: 3}]", "folder of set 1 must be a path, but is 3"),
        ("name: a\n3: b\nsets: []", "a key of the suite must be text, but is 3; put it in quotes"),
        (ONE_STEP + "jpeg", "step 1 of set 'b' must be a mapping (key: value), but is 'jpeg'"),
        (ONE_STEP + "{kind: gaussian-noise, sigma: ten}", "numbers in rising order, but is 'ten'"),
        (ONE_STEP + "{kind: gaussian-noise, sigma: true}", "in rising order, but is True"),
        (ONE_STEP + "{kind: gaussian-noise, sigma: [5, [6]]}", "but is (5, [6])"),
        (ONE_STEP + "{kind: gaussian-noise, sigma: 2020-01-01}", "is datetime.date(2020, 1, 1)"),
        (
            "name: a\nquantized: 8\nsets: []",
            "quantized of the suite must be true or false, but is 8",
        ),
        ("name: a\nquantized: 'yes'\nsets: []", "must be true or false, but is 'yes'"),
        # out of range
        ("name: a\nblur_applied_to: sr\nsets: []", "blur_applied_to of the suite must be lr or hr"),
        ("name: a\nsets: []", "sets must be a list of one set or more, but is ()"),
        ("name: a b\nsets: [{name: b}]", "suite name must be 1 to 60 letters"),
        ("name: a\nsets: [{name: ../b}]", "set name must be 1 to 60 letters"),
        ("name: a\nsets: [{name: b}, {name: B}]", "set name must be used once, capitals or not"),
        ("name: a\nsets: [{name: b, folder: ''}]", "folder must be a path, but is ''"),
        (
            ONE_STEP + "{kind: gaussian-noise, sigma: 300}",
            "sigma of step 1 of set 'b' must be a number from 0 to 255, or a pair [low, high] of "
            "such numbers in rising order, but is 300; it is in 8-bit grey levels",
        ),
        (ONE_STEP + "{kind: gaussian-noise, sigma: [30, 5]}", "in rising order, but is (30, 5)"),
        (ONE_STEP + "{kind: gaussian-noise, sigma: .nan}", "in rising order, but is nan"),
        (ONE_STEP + "{kind: gaussian-noise, sigma: .inf}", "in rising order, but is inf"),
        (
            ONE_STEP + "{kind: jpeg, quality: 1" + "0" * 500 + "}",
            "quality of step 1 of set 'b' must",
        ),
        # users' own classes
        (ONE_STEP + "{kind: 'no_such_module:X'}", "step 1 of set 'b': degradation 'no_such_modul"),
        # not YAML, or not plain YAML
        ("name: [a", "is not plain YAML: "),
        ("name: a\n\tsets: []", "(line 2)"),
        (
            "name: !!python/object/apply:os.system ['true']",
            "is not plain YAML: could not determine",
        ),
        ("name: a\0b", "is not plain YAML: "),
        ("name: a\n---\nname: b", "is not plain YAML: "),
        ("name: a\nname: b\nsets: []", "line 2 repeats the key 'name'"),
        (ONE_STEP + "{kind: jpeg, quality: 2, quality: 3}", "line 5 repeats the key 'quality'"),
        (
            ONE_STEP + "{kind: gaussian-noise, sigma: 2020-99-99}",
            "holds a value that cannot be read",
        ),
        (ONE_STEP + "{kind: jpeg, quality: 1" + "0" * 5000 + "}", "holds a value that cannot be"),
        (BOMB, "line 2 uses an alias (*); write it out"),
        ("a: &a [*a]", "uses an alias"),
        ("[" * 30_000, "is nested more than 20 levels deep"),
        ("a:\n - " * 1 + "- " * 5000 + "x", "is nested more than 20 levels deep"),
        (b"\xff\xfe name", "is not UTF-8 text"),
        (b"#" * (LARGEST_FILE + 1), f"is larger than {LARGEST_FILE} bytes, so no suite file"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_wrong_files_get_one_clear_line(write, text: str | bytes, message: str) -> None:
    path = write(text)
    start = time.process_time()
    with pytest.raises(FileProblem) as caught:
        load_suite(path)
    assert time.process_time() - start < 5
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert message in line
    assert "\n" not in line
    assert len(line) < 800


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"absent.yaml: does not exist"):
        load_suite(tmp_path / "absent.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(FileProblem, match=r"folder.yaml: cannot be read \(Is a directory\)"):
        load_suite(tmp_path / "folder.yaml")


def test_users_class_of_ten_lines(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_degradations.py").write_text(
        dedent("""
        from dataclasses import dataclass
        import torch

        @dataclass(frozen=True, kw_only=True)
        class Salt:
            share: float = 0.01

            def __call__(self, images_NCHW, *, generator):
                hit = torch.rand(images_NCHW[:, :1].shape, generator=generator) < self.share
                return torch.where(hit, 1.0, images_NCHW)
        """)
    )
    monkeypatch.chdir(tmp_path)
    suite = load_suite(
        write("""
        name: salted
        sets:
          - name: clean
          - name: salt
            steps:
              - kind: my_degradations:Salt
                share: 0.02
        """)
    )
    assert suite.sets[1].steps[0].share == 0.02
    definition = suite.sets[1].definition(scale=4, blur_applied_to="lr")
    assert definition == "bicubic x4 downsampling, then Salt(share=0.02)"

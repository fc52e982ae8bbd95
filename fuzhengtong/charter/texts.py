"""Every sentence the platform says to people: by key and language, versioned, outside the editions of the charter.

Called by the web for refusals, names of steps and states, and by the notices; `load_texts` runs once at the start of
each program. A sentence takes facts at `{name}` places only, in one pass and literally: what a person wrote is never
read as a template, and no place reaches into an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from fuzhengtong.charter import lines
from fuzhengtong.charter.lines import FileRefused, Key, Lines

FIRST_LANGUAGE = "zh-Hans"
LANGUAGES = (FIRST_LANGUAGE, "en")

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_BRACE = re.compile(r"[{}]")
_PLAIN_PART = "text"
_VERSION = "v"


class TextsError(FileRefused):
    """Refuse the sentences: which file, line and key, what was found there, what is allowed."""


class Unsaid(LookupError):
    """A sentence that does not exist was asked for, or one of its facts was not given: a mistake of the caller."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of one language, its version, the facts it needs, and where it stands."""

    text: str
    version: int
    facts: frozenset[str]
    file: str
    line: int

    def filled(self, facts: Mapping[str, object]) -> str:
        """Put the facts at their places, as they are; facts without a place are left aside."""
        return _PLACE.sub(lambda place: str(facts[place[1]]), self.text)


@dataclass(frozen=True, slots=True)
class Texts:
    """The sentences of all languages, by language and key."""

    languages: Mapping[str, Mapping[str, Sentence]]

    def say(self, key: str, /, lang: str = FIRST_LANGUAGE, **facts: object) -> str:
        """Return the sentence in the language, or in Simplified Chinese where that language has none.

        Raises Unsaid when the key does not exist or a fact of the sentence is missing.
        """
        sentence = self._sentence(key, lang)
        missing = sentence.facts - facts.keys()
        if missing:
            raise Unsaid(f"the sentence {key!r} needs {', '.join(sorted(missing))}")
        return sentence.filled(facts)

    def version(self, key: str, /) -> int:
        """Return the version of a sentence, the same in every language; raises Unsaid for an unknown key."""
        return self._sentence(key, FIRST_LANGUAGE).version

    def keys(self, prefix: str = "") -> tuple[str, ...]:
        """Return all keys that begin with the prefix, in the order of the file."""
        return tuple(key for key in self.languages[FIRST_LANGUAGE] if key.startswith(prefix))

    def check(self, keys: Iterable[str] = ()) -> None:
        """Verify that all languages say the same things, and that the keys asked for exist.

        Raises TextsError at the first key that one language lacks, that has another version, or that takes other
        facts than in Simplified Chinese; and at the first key asked for that nobody wrote.
        """
        first = self.languages[FIRST_LANGUAGE]
        for lang, sentences in self.languages.items():
            for key in [*first, *sentences]:
                _check_pair(key, lang, first, sentences)
        for key in keys:
            if key not in first:
                raise TextsError(file=f"{FIRST_LANGUAGE}.toml", line=0, key=key, found="nothing", allowed="a sentence")

    def _sentence(self, key: str, lang: str) -> Sentence:
        first = self.languages[FIRST_LANGUAGE]
        sentence = self.languages.get(lang, first).get(key) or first.get(key)
        if sentence is None:
            raise Unsaid(f"nobody wrote the sentence {key!r}")
        return sentence


def load_texts(folder: Path) -> Texts:
    """Read the sentences of all languages from the folder and check them against each other.

    Refuses, with TextsError, a missing language, an entry without a version, a value that is no text, a brace that
    is no `{name}`, and all that `Texts.check` refuses.
    """
    languages: dict[str, Mapping[str, Sentence]] = {}
    for lang in LANGUAGES:
        file = folder / f"{lang}.toml"
        if not file.is_file():
            raise TextsError(file=str(file), line=0, key="", found="no such file", allowed=f"the sentences in {lang}")
        languages[lang] = parse_texts(text=lines.read(file, TextsError), file=str(file))
    texts = Texts(MappingProxyType(languages))
    texts.check()
    return texts


def parse_texts(*, text: str, file: str) -> Mapping[str, Sentence]:
    """Read the sentences of one language from its TOML text.

    A table with a version `v` is an entry; its `text` is said by the entry's own key, each other part by the key
    and the part's name: `[step.accept] v=1 name="…" teller="…"` gives `step.accept.name` and `step.accept.teller`.
    """
    found = lines.parse(text, file, TextsError)
    sentences: dict[str, Sentence] = {}
    _collect(found, (), file, Lines(text), sentences)
    return MappingProxyType(sentences)


def _collect(table: Mapping[str, object], key: Key, file: str, at: Lines, into: dict[str, Sentence]) -> None:
    for name, value in table.items():
        here = (*key, name)
        if not isinstance(value, dict):
            raise _refused(here, file, at, repr(value), f"a table with a version {_VERSION!r} and its texts")
        if _VERSION in value and not isinstance(value[_VERSION], dict):
            _entry(value, here, file, at, into)
        else:
            _collect(value, here, file, at, into)


def _entry(table: Mapping[str, object], key: Key, file: str, at: Lines, into: dict[str, Sentence]) -> None:
    version = table[_VERSION]
    if type(version) is not int or version < 1:
        raise _refused((*key, _VERSION), file, at, repr(version), "a version from 1 on")
    if len(table) == 1:
        raise _refused(key, file, at, "a version without a text", f"{_PLAIN_PART!r} or named parts")
    for part, said in table.items():
        if part == _VERSION:
            continue
        here = (*key, part)
        if not isinstance(said, str) or not said.strip():
            raise _refused(here, file, at, repr(said), "a text that is not empty")
        brace = _BRACE.search(_PLACE.sub("", said))
        if brace:
            raise _refused(here, file, at, f"{brace[0]!r} in {said!r}", "places such as {name}, and no other brace")
        named = lines.dotted(key if part == _PLAIN_PART else here)
        into[named] = Sentence(said, version, frozenset(_PLACE.findall(said)), file, at.of(here))


def _check_pair(key: str, lang: str, first: Mapping[str, Sentence], other: Mapping[str, Sentence]) -> None:
    if key not in first:
        lone = other[key]
        raise TextsError(file=lone.file, line=lone.line, key=key, found=f"only {lang}", allowed=f"{FIRST_LANGUAGE} too")
    if key not in other:
        lone = first[key]
        raise TextsError(file=lone.file, line=lone.line, key=key, found=f"no {lang}", allowed="every language")
    one, two = first[key], other[key]
    if one.version != two.version:
        raise TextsError(
            file=two.file, line=two.line, key=key, found=f"version {two.version}", allowed=f"version {one.version}"
        )
    if one.facts != two.facts:
        raise TextsError(
            file=two.file, line=two.line, key=key, found=_named(two.facts), allowed=f"the places {_named(one.facts)}"
        )


def _named(facts: frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(facts)) or "no place"


def _refused(key: Key, file: str, at: Lines, found: str, allowed: str) -> TextsError:
    return TextsError(file=file, line=at.of(key), key=lines.dotted(key), found=found, allowed=allowed)

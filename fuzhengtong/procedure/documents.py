"""The procedure manual: states, steps, permissions, duties and notices, made from the tables and never by hand.

`manual` gives the page /procedure/ its rows as frozen values; `written` makes `docs/procedure.md` of the same rows;
`fuzhengtong docs` calls `write`, and its check calls `stale`. The same tables give the same bytes: nothing here reads
a clock or a database, and every list keeps the order of the tables and enums it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fuzhengtong.cases.permits import IS_TELLER, PERMITS, Claim, Who
from fuzhengtong.cases.states import FINAL, OPEN, DutyKind, State, class_of
from fuzhengtong.cases.steps import Owe, Step
from fuzhengtong.charter.editions import URGENCIES, Charter, Term
from fuzhengtong.charter.load import find_folder, load_charters
from fuzhengtong.charter.texts import FIRST_LANGUAGE, Texts, Unsaid, load_texts
from fuzhengtong.directory.rules import PostKind
from fuzhengtong.procedure import catalogue
from fuzhengtong.procedure.catalogue import CATALOGUE
from fuzhengtong.procedure.flags import FLAGS, STATES_COMING

# Who acts: every post kind, and those who act in no post.
ACTORS: tuple[str, ...] = (*(kind.value for kind in PostKind), "resident", "key", "system")
AUDIENCES: tuple[str, ...] = ("teller", "office", "desk", "owner", "head", "leader")
# The usual way of a matter, drawn first and drawn thick.
MAIN_PATH: tuple[State, ...] = (
    State.RECEIVED,
    State.ACCEPTED,
    State.ASSIGNED,
    State.WORKING,
    State.REVIEW,
    State.VISITING,
    State.CLOSED,
    State.ARCHIVED,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the procedure: its stable code, and how people say it."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class StateRow:
    """One state: whether it is an end, stands on the usual way, can be reached yet, and what is owed in it."""

    state: Word
    is_final: bool
    on_main_path: bool
    waits_for: str
    owes: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """One way in the diagram; `before` is empty where a case begins."""

    before: str
    after: str
    step: Word


@dataclass(frozen=True, slots=True)
class OweRow:
    """One duty a step begins: of whom, for what, and whether only in some cases."""

    kind: Word
    by: Word
    post: Word
    each: str
    is_conditional: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One way to be allowed: who acts, and the conditions that must hold beside."""

    actors: tuple[Word, ...]
    conditions: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step as the manual shows it."""

    step: Word
    version: int
    before: tuple[Word, ...]
    after: Word | None
    who: tuple[Way, ...]
    facts: tuple[str, ...]
    meets: tuple[Word, ...]
    owes: tuple[OweRow, ...]
    renews: tuple[Word, ...]
    voids: tuple[Word, ...]
    pauses: tuple[Word, ...]
    resumes: tuple[Word, ...]
    tells: tuple[Word, ...]
    law: str
    is_automatic: bool
    is_public: bool
    recomputes: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What one actor may: nothing, always, or under each of several lists of conditions."""

    is_allowed: bool
    conditions: tuple[tuple[Word, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One step or read, and a cell for every actor in the order of the manual's `actors`."""

    word: Word
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class TermRow:
    """One length of a duty; `urgency` is empty where it holds for all that have none of their own."""

    urgency: str
    length: int
    unit: Word
    starts: str
    source: str


@dataclass(frozen=True, slots=True)
class DutyRow:
    """One duty kind: its class, lengths, who owes it, which steps begin, pause, meet and void it."""

    kind: Word
    klass: str
    terms: tuple[TermRow, ...]
    owed_by: tuple[Word, ...]
    begun_by: tuple[Word, ...]
    paused_by: tuple[Word, ...]
    met_by: tuple[Word, ...]
    voided_by: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One step and whom it must be told."""

    step: Word
    tells: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class FlagRow:
    """One flag: the column that keeps it, or the capability that will bring it."""

    flag: Word
    column: str
    capability: str


@dataclass(frozen=True, slots=True)
class ComingRow:
    """One step that is not built yet."""

    step: Word
    capability: str


@dataclass(frozen=True, slots=True)
class Manual:
    """Everything the procedure manual shows."""

    edition: str
    states: tuple[StateRow, ...]
    arrows: tuple[Arrow, ...]
    steps: tuple[StepRow, ...]
    actors: tuple[Word, ...]
    matrix: tuple[MatrixRow, ...]
    permits: tuple[MatrixRow, ...]
    duties: tuple[DutyRow, ...]
    notices: tuple[NoticeRow, ...]
    flags: tuple[FlagRow, ...]
    coming: tuple[ComingRow, ...]


# --- words -------------------------------------------------------------------------------------------------------


def needed_keys() -> tuple[str, ...]:
    """List the keys of every word the manual says, for the check that somebody wrote them."""
    claims = (claim for who in _all_who() for way in who for claim in way)
    keys = [
        *(f"state.{state}" for state in State),
        *(f"step.{step.word}.name" for step in CATALOGUE.current),
        *(f"step.{row.word}.name" for row in CATALOGUE.coming),
        *(_actor_key(actor) for actor in ACTORS),
        *(f"claim.{claim.word}" for claim in claims if _is_condition(claim)),
        *(f"permit.{permit}" for permit in PERMITS),
        *(f"duty.{kind}" for kind in DutyKind),
        *(f"told.{audience}" for audience in AUDIENCES),
        *(f"owed_by.{owe.by}" for step in CATALOGUE.current for owe in step.owes),
        *(f"flag.{flag.word}" for flag in FLAGS),
    ]
    return tuple(dict.fromkeys(keys))


def unsaid(texts: Texts) -> tuple[str, ...]:
    """List the keys the manual needs and nobody wrote; the manual shows their codes instead."""
    known = set(texts.keys())
    return tuple(key for key in needed_keys() if key not in known)


def _all_who() -> tuple[Who, ...]:
    return (*(step.who for step in CATALOGUE.current), *PERMITS.values())


def _actor_key(actor: str) -> str:
    return f"actor.{actor}" if actor in ("resident", "key", "system") else f"post.{actor}"


class _Words:
    """Say codes in one language; a code without a text is shown as it is."""

    def __init__(self, texts: Texts, lang: str) -> None:
        self._texts, self._lang = texts, lang

    def word(self, prefix: str, code: str, part: str = "") -> Word:
        return Word(code, self.said(f"{prefix}.{code}{part}", code))

    def said(self, key: str, code: str) -> str:
        try:
            return self._texts.say(key, self._lang)
        except Unsaid:
            return code

    def state(self, state: State) -> Word:
        return self.word("state", state.value)

    def step(self, word: str) -> Word:
        return self.word("step", word, ".name")

    def duty(self, kind: DutyKind) -> Word:
        return self.word("duty", kind.value)

    def duties(self, kinds: Iterable[DutyKind]) -> tuple[Word, ...]:
        held = set(kinds)
        return tuple(self.duty(kind) for kind in DutyKind if kind in held)

    def steps(self, steps: Iterable[Step]) -> tuple[Word, ...]:
        return tuple(self.step(step.word) for step in steps)

    def actor(self, actor: str) -> Word:
        return Word(actor, self.said(_actor_key(actor), actor))

    def told(self, audiences: Iterable[str]) -> tuple[Word, ...]:
        return tuple(self.word("told", audience) for audience in audiences)


# --- the rows ----------------------------------------------------------------------------------------------------


def manual(*, texts: Texts, charter: Charter, lang: str = FIRST_LANGUAGE) -> Manual:
    """Make the manual's rows from the catalogue, the reads of PERMITS and one edition of the charter."""
    say = _Words(texts, lang)
    steps = CATALOGUE.current
    return Manual(
        edition=charter.edition,
        states=_states(say),
        arrows=_arrows(say),
        steps=tuple(_step(step, say) for step in steps),
        actors=tuple(say.actor(actor) for actor in ACTORS),
        matrix=tuple(MatrixRow(say.step(step.word), _cells(step.who, say)) for step in steps),
        permits=tuple(MatrixRow(say.word("permit", name), _cells(who, say)) for name, who in PERMITS.items()),
        duties=tuple(_duty(kind, charter, say) for kind in DutyKind),
        notices=tuple(NoticeRow(say.step(step.word), say.told(step.tells)) for step in steps if step.tells),
        flags=tuple(FlagRow(say.word("flag", flag.word), flag.column, flag.capability) for flag in FLAGS),
        coming=tuple(ComingRow(say.step(row.word), row.capability) for row in CATALOGUE.coming),
    )


def _states(say: _Words) -> tuple[StateRow, ...]:
    open_in = catalogue.may_owe(CATALOGUE)
    rows = []
    for state in State:
        met_here = {kind for step in catalogue.allowed(CATALOGUE, state) for kind in step.meets}
        rows.append(
            StateRow(
                state=say.state(state),
                is_final=state in FINAL,
                on_main_path=state in MAIN_PATH,
                waits_for=STATES_COMING.get(state, ""),
                owes=say.duties(open_in.get(state, frozenset()) & met_here),
            )
        )
    return tuple(rows)


def _arrows(say: _Words) -> tuple[Arrow, ...]:
    arrows = []
    found = catalogue.reachable(CATALOGUE)
    for before in (None, *(state for state in State if state in found)):
        for step in catalogue.allowed(CATALOGUE, before):
            if step.after is not None and step.after != before:
                arrows.append(Arrow(before.value if before else "", step.after.value, say.step(step.word)))
    return tuple(arrows)


def _step(step: Step, say: _Words) -> StepRow:
    ways = tuple(_way(way, say) for way in step.who)
    return StepRow(
        step=say.step(step.word),
        version=step.version,
        before=tuple(say.state(state) for state in State if state in step.before),
        after=say.state(step.after) if step.after else None,
        who=ways,
        facts=tuple(step.facts.__struct_fields__),
        meets=say.duties(step.meets),
        owes=tuple(_owe(owe, say) for owe in step.owes),
        renews=say.duties({owe.kind for owe in step.renews}),
        voids=say.duties(step.voids),
        pauses=say.duties(step.pauses),
        resumes=say.duties(step.resumes),
        tells=say.told(step.tells),
        law=step.law,
        is_automatic=all(actor.code == "system" for way in ways for actor in way.actors),
        is_public=step.public,
        recomputes=step.recomputes,
    )


def _owe(owe: Owe, say: _Words) -> OweRow:
    return OweRow(
        kind=say.duty(owe.kind),
        by=say.word("owed_by", owe.by),
        post=say.actor(owe.post),
        each=owe.each,
        # The charter promises an interim reply only where a law's term is longer than its own.
        is_conditional=owe.when is not None or owe.due == "interim",
    )


def _way(way: Sequence[Claim], say: _Words) -> Way:
    return Way(
        actors=tuple(say.actor(actor) for actor in _actors(way)),
        conditions=tuple(say.word("claim", claim.word) for claim in way if _is_condition(claim)),
    )


def _is_condition(claim: Claim) -> bool:
    # A resident is a teller by the code of his appeal alone: more than the kind of actor that the claim names.
    return not claim.posts or claim is IS_TELLER


def _actors(way: Sequence[Claim]) -> tuple[str, ...]:
    """List who can take a way at all: those whom every claim about posts names; all, where none does."""
    named = [claim.posts for claim in way if claim.posts]
    return tuple(actor for actor in ACTORS if all(actor in posts for posts in named))


def _cells(who: Who, say: _Words) -> tuple[Cell, ...]:
    cells = []
    for actor in ACTORS:
        ways = [_way(way, say).conditions for way in who if actor in _actors(way)]
        free = () in ways
        cells.append(Cell(bool(ways), () if free else tuple(dict.fromkeys(ways))))
    return tuple(cells)


def _duty(kind: DutyKind, charter: Charter, say: _Words) -> DutyRow:
    steps = CATALOGUE.current
    owing = [owe for step in steps for owe in step.owes if owe.kind == kind]
    return DutyRow(
        kind=say.duty(kind),
        klass=class_of(kind).value,
        terms=tuple(_term(key, term, say) for key, term in _terms(kind, charter)),
        owed_by=tuple(
            dict.fromkeys(say.word("owed_by", owe.by) if owe.by == "same" else say.actor(owe.post) for owe in owing)
        ),
        begun_by=say.steps(step for step in steps if kind in (owe.kind for owe in step.owes)),
        paused_by=say.steps(step for step in steps if kind in step.pauses),
        met_by=say.steps(step for step in steps if kind in step.meets),
        voided_by=say.steps(step for step in steps if kind in step.voids),
    )


def _terms(kind: DutyKind, charter: Charter) -> list[tuple[str, Term]]:
    keys = {"": kind.value} | {urgency: f"{kind}.{urgency}" for urgency in reversed(URGENCIES)}
    return [(urgency, charter.terms[key]) for urgency, key in keys.items() if key in charter.terms]


def _term(urgency: str, term: Term, say: _Words) -> TermRow:
    return TermRow(
        urgency=say.said(f"urgency.{urgency}", urgency) if urgency else "",
        length=term.length,
        unit=say.word("unit", term.unit.value),
        starts=term.starts,
        source=term.source,
    )


# --- the document ------------------------------------------------------------------------------------------------

_HEAD = """\
# The procedure

Made from the tables of steps by `fuzhengtong docs`; a check compares this file with them, so nobody edits it by hand.
Lengths are those of charter edition `{edition}`. A case is in one state; what it owes at each instant are its duties.
Law of the table: an open case always owes somebody something, and a closed one owes no work.
"""


def written(shown: Manual) -> str:
    """Write the manual as Markdown: the diagram, then the tables."""
    parts = [
        _HEAD.format(edition=shown.edition),
        "## States\n\n" + _diagram(shown),
        _table(("state", "状态", "kind", "may be owed there"), [_state_cells(row) for row in shown.states]),
        "## Steps\n",
        _table(
            ("step", "环节", "from", "to", "who may", "facts", "promises", "tells", "law"),
            [_step_cells(row) for row in shown.steps],
        ),
        "## Who may take which step\n\n" + _LEGEND,
        *_matrix(shown.actors, shown.matrix),
        "## Who may read what\n",
        *_matrix(shown.actors, shown.permits),
        "## Duties\n",
        _table(
            ("duty", "时限", "class", "length", "from", "owed by", "begun by", "met by", "source"),
            [cells for row in shown.duties for cells in _duty_cells(row)],
        ),
        "## Who is told\n",
        _table(("step", "环节", "told"), [(f"`{r.step.code}`", r.step.name, _names(r.tells)) for r in shown.notices]),
        "## Flags\n",
        _table(
            ("flag", "标记", "kept in", "comes with"),
            [(f"`{r.flag.code}`", r.flag.name, f"`{r.column}`" if r.column else "", r.capability) for r in shown.flags],
        ),
        "## Steps to come\n",
        _table(("step", "环节", "comes with"), [(f"`{r.step.code}`", r.step.name, r.capability) for r in shown.coming]),
    ]
    return "\n".join(parts)


def _diagram(shown: Manual) -> str:
    drawn = {arrow.after for arrow in shown.arrows}
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR"]
    lines += [f'    state "{row.state.name}" as {row.state.code}' for row in shown.states if row.state.code in drawn]
    joined: dict[tuple[str, str], list[str]] = {}
    for arrow in shown.arrows:
        joined.setdefault((arrow.before or "[*]", arrow.after), []).append(arrow.step.name)
    lines += [f"    {before} --> {after}: {'、'.join(names)}" for (before, after), names in joined.items()]
    left = {arrow.before for arrow in shown.arrows}
    lines += [
        f"    {row.state.code} --> [*]"
        for row in shown.states
        if row.state.code in drawn and row.is_final and row.state.code not in left
    ]
    return "\n".join([*lines, "```", ""])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(head), _line(["---"] * len(head)), *(_line(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _names(words: Iterable[Word]) -> str:
    return "、".join(word.name for word in words)


def _state_cells(row: StateRow) -> Sequence[str]:
    kind = "end" if row.is_final else "usual way" if row.on_main_path else "side way"
    if row.waits_for:
        kind += f", comes with `{row.waits_for}`"
    return f"`{row.state.code}`", row.state.name, kind, _names(row.owes)


def _step_cells(row: StepRow) -> Sequence[str]:
    return (
        f"`{row.step.code}`" + (f" v{row.version}" if row.version > 1 else ""),
        row.step.name,
        _said_before(row.before) or "—",
        row.after.name if row.after else "same",
        " or ".join(_said_way(way) for way in row.who),
        ", ".join(f"`{name}`" for name in row.facts),
        _promises(row),
        _names(row.tells),
        row.law,
    )


def _said_before(before: Sequence[Word]) -> str:
    codes = {word.code for word in before}
    missing = [state.value for state in State if state in OPEN and state.value not in codes]
    if len(missing) > len(OPEN) // 2 or not codes <= {state.value for state in OPEN}:
        return _names(before)
    return "every open state" + (f" but {', '.join(f'`{code}`' for code in missing)}" if missing else "")


def _said_way(way: Way) -> str:
    actors = "/".join(word.name for word in way.actors)
    return actors + (f" ({_names(way.conditions)})" if way.conditions else "")


def _promises(row: StepRow) -> str:
    owes = "、".join(
        owe.kind.name + ("?" if owe.is_conditional else "") + ("" if owe.each == "case" else f" per {owe.each}")
        for owe in row.owes
    )
    # A step that ends a case voids everything; naming each would hide what matters.
    voids = "everything open" if len(row.voids) >= len(DutyKind) - 1 else _names(row.voids)
    said = {
        "meets": _names(row.meets),
        "owes": owes,
        "makes anew, by urgency and centre,": _names(row.renews),
        "voids": voids,
        "pauses": _names(row.pauses),
        "resumes": _names(row.resumes),
        "counts anew": "every running one that was a guess" if row.recomputes else "",
    }
    return "; ".join(f"{verb} {names}" for verb, names in said.items() if names)


_LEGEND = """\
● may; a number: may where all conditions of that number hold; two numbers: where either does.
"""


def _matrix(actors: Sequence[Word], rows: Sequence[MatrixRow]) -> list[str]:
    conditions = list(dict.fromkeys(names for row in rows for cell in row.cells for names in cell.conditions))
    numbers = {names: str(index + 1) for index, names in enumerate(conditions)}
    head = ("", *(word.name for word in actors))
    body = [(f"{row.word.name} `{row.word.code}`", *(_mark(cell, numbers) for cell in row.cells)) for row in rows]
    listed = [
        f"{numbers[names]}. " + " and ".join(f"{word.name} (`{word.code}`)" for word in names) for names in conditions
    ]
    return [_table(head, body), "\n".join(listed) + "\n"] if listed else [_table(head, body)]


def _mark(cell: Cell, numbers: Mapping[tuple[Word, ...], str]) -> str:
    if not cell.is_allowed:
        return ""
    return ", ".join(numbers[names] for names in cell.conditions) or "●"


def _duty_cells(row: DutyRow) -> Iterable[Sequence[str]]:
    for index, term in enumerate(row.terms):
        length = f"{term.urgency} {term.length} {term.unit.name}".strip()
        if index:
            yield ("", "", "", length, term.starts, "", "", "", term.source)
            continue
        yield (
            f"`{row.kind.code}`",
            row.kind.name,
            row.klass,
            length,
            term.starts,
            _names(row.owed_by),
            _names(row.begun_by),
            _names(row.met_by),
            term.source,
        )


def made() -> str:
    """Make the document from the repository's own texts and its newest edition."""
    texts = load_texts(find_folder("texts"))
    charters = load_charters(find_folder("charters/fuxin"))
    return written(manual(texts=texts, charter=charters.editions[-1]))


def write(path: Path) -> None:
    """Write the document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made(), encoding="utf-8")


def stale(path: Path) -> bool:
    """Tell whether the file is missing or is not what the tables say now."""
    return not path.is_file() or path.read_text(encoding="utf-8") != made()

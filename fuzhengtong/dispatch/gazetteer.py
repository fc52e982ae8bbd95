"""Which area a telling names: the city's own list of areas, read as residents write it.

Called by `rules.propose` (and by tests) with rows that the caller has read; built once and asked many times. Counties
fix towns, towns fix communities and villages; the longest name wins. It never picks the first of several: what is not
certain comes back as `ambiguous` with the list, and what the text does not name comes back as `none`. It is long
because the ways of writing a name and the rules that read them make sense only side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from fuzhengtong.dispatch import normal

Status = Literal["found", "ambiguous", "none"]
Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Unit:
    """One area as the matcher needs it; `kind` and `suffix` as in the directory, parents by id (None or itself: none).

    `core` is the name without its official ending. `aliases` are (text, kind) with the directory's kinds: `short` needs
    a place around it, `everyday`, `former` and `historical` ones may be the first half of a road's or a shop's name,
    all others (`clerk`: estates, hamlets) are taken as they stand. `unit_id` is the community or village of a grid.
    """

    id: int
    code: str
    name: str
    display_name: str
    core: str
    kind: str
    suffix: str = ""
    town_id: int | None = None
    town_name: str = ""
    county_id: int | None = None
    county_name: str = ""
    unit_id: int | None = None
    aliases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceFound:
    """Where the matter is, as far as the words say it.

    `found`: `area_id` of kind `level` (county, town, community, village, functional, grid); `candidates` are then finer
    places that may be meant. `ambiguous`: `candidates` are all that may be meant, by code, and `within` the county that
    holds them all. `rest` is the place text behind the name (hamlet, house number), `spans` the words that decided.
    """

    status: Status
    area_id: int | None = None
    level: str = ""
    candidates: tuple[int, ...] = ()
    within: int | None = None
    rest: str = ""
    confidence: float = 0.0
    spans: tuple[normal.Word, ...] = ()
    reasons: tuple[normal.Reason, ...] = ()


class _Strength(IntEnum):
    SHORT = 0  # a core of two characters, or an ordinary word: counts only beside its parent
    LONG = 1  # a core of three and more, or core + 屯: counts where nothing better is said
    PLAIN = 2  # with its ending, but readable as ordinary speech (同意村委会): counts with support
    STRONG = 3  # with its ending, or an alias


@dataclass(frozen=True, slots=True)
class _Form:
    ids: tuple[int, ...]
    strength: _Strength
    checked: bool  # what follows must not make it a road, a shop, a school


@dataclass(slots=True)
class _Hit:
    start: int
    end: int
    ids: tuple[int, ...]
    strength: _Strength
    institution: bool = False
    doubtful: bool = False


@dataclass(slots=True)
class _Chain:
    """Names that touch, each inside the one before: 阜蒙县 · 佛寺镇 · 八道岭村."""

    hits: list[_Hit]
    strength: _Strength
    hints: tuple[int, ...] = ()
    reasons: list[str] = field(default_factory=list)

    @property
    def ids(self) -> tuple[int, ...]:
        return self.hits[-1].ids

    @property
    def end(self) -> int:
        return self.hits[-1].end


class Gazetteer:
    """The areas of one city and every way of writing them; immutable once built."""

    __slots__ = ("_above", "_children", "_city_names", "_finder", "_forms", "_rank", "_units")

    def __init__(self, units: Sequence[Unit], forms: dict[str, _Form]) -> None:
        self._units = {unit.id: unit for unit in units}
        self._rank = {unit.id: _RANK[unit.kind] for unit in units}
        self._above = {unit.id: self._parents(unit) for unit in units}
        self._children: dict[int, dict[str, list[int]]] = {}
        for unit in units:
            if self._rank[unit.id] == _UNIT and unit.town_id is not None and unit.town_id in self._above[unit.id]:
                cores = self._children.setdefault(unit.town_id, {})
                cores.setdefault(normal.normalise(unit.core).text, []).append(unit.id)
        self._forms = forms
        self._finder = normal.Finder(forms)
        self._city_names = frozenset(unit.core for unit in units if unit.kind == "city")

    @classmethod
    def build(cls, units: Iterable[Unit]) -> Gazetteer:
        """Build the matcher from the areas in force on one day."""
        rows = sorted(units, key=lambda unit: (unit.code, unit.id))
        return cls(rows, _all_forms(rows))

    def unit(self, area_id: int) -> Unit | None:
        """Return the row of an area, None if the matcher was not built with it."""
        return self._units.get(area_id)

    def holds(self, outer: int, inner: int) -> bool:
        """Tell whether the area `outer` is `inner` or one of its parents."""
        return outer == inner or outer in self._above.get(inner, ()) or self._rank.get(outer) == _CITY

    def locate(self, *, text: normal.Normal, address: normal.Normal) -> tuple[PlaceFound, tuple[Interval, ...]]:
        """Find the place that text and address together name, and the intervals of `text` that are names of places.

        Rules: the longest name wins; a town fixes its county; a bare short name needs its parent; one name for several
        areas is ambiguous. The address is read as the place where the matter is, so it may be written without endings.
        """
        reading = _Reading(self, address, text)
        chains = reading.chains()
        reading.narrow(chains)
        return reading.decide(chains), reading.names()

    def _parents(self, unit: Unit) -> frozenset[int]:
        ids = {unit.unit_id, unit.town_id, unit.county_id}
        # A missing level may repeat the parent or the area itself: only a larger kind is a parent.
        return frozenset(i for i in ids if i in self._units and _RANK[self._units[i].kind] < _RANK[unit.kind])

    def _inside(self, ids: Sequence[int], parents: Sequence[int]) -> tuple[int, ...]:
        """Return those of `ids` that lie strictly inside one of `parents`; a city holds everything."""
        return tuple(
            i
            for i in ids
            if any(parent in self._above[i] or (self._rank[parent] == _CITY != self._rank[i]) for parent in parents)
        )

    def _common_county(self, ids: Iterable[int]) -> int | None:
        counties = {self._county(i) for i in ids}
        return counties.pop() if len(counties) == 1 else None

    def _county(self, area_id: int) -> int | None:
        if self._rank[area_id] == _COUNTY:
            return area_id
        return next((i for i in self._above[area_id] if self._rank[i] == _COUNTY), None)


class _Reading:
    """One reading of an address and a text, joined by a line end, so that each helps to understand the other."""

    def __init__(self, gazetteer: Gazetteer, address: normal.Normal, text: normal.Normal) -> None:
        self._of = gazetteer
        self._address = address
        self._told = text
        self._cut = len(address.text) + 1 if address.text else 0
        self._joined = f"{address.text}\n{text.text}" if address.text else text.text
        self._wholes = {_MARKS.sub("", address.text), _MARKS.sub("", text.text)}
        self._names: list[Interval] = []

    # -- reading ------------------------------------------------------------------------------------------------------

    def chains(self) -> list[_Chain]:
        """Read the names in order and join those that touch and lie inside each other."""
        hits = list(self._hits())
        chains: list[_Chain] = []
        for n, hit in enumerate(hits):
            joiner = _JOINER.fullmatch(self._joined, chains[-1].end, hit.start) if chains else None
            if joiner is not None and self._joins(chains[-1], hit, joiner[0]):
                continue
            following = hits[n + 1] if n + 1 < len(hits) else None
            chain = self._opening(hit, following, alone=joiner is None)
            if chain is not None:
                chains.append(chain)
        for chain in chains:
            self._look_inside_town(chain)
            if not chain.hits[-1].doubtful:
                self._names.extend((hit.start, hit.end) for hit in chain.hits)
        return chains[:_MOST]

    def _hits(self) -> Iterator[_Hit]:
        joined = self._joined
        for start, end in self._of._finder.find(joined):
            form = self._of._forms[joined[start:end]]
            if form.checked and _NOT_A_UNIT.match(joined, end):
                continue
            if joined[end - 1] == "村" and _NOT_A_VILLAGE.match(joined, end):
                continue
            ids = form.ids
            if any(self._of._rank[i] == _CITY for i in ids):
                ids = tuple(i for i in ids if self._of._rank[i] == _CITY)  # 阜新 alone is the city, never 阜新镇
            large = all(self._of._rank[i] < _UNIT for i in ids)
            seat = _INSTITUTION.match(joined, end) is not None or joined[:end].endswith(_SEATS)
            institution = large and seat
            yield _Hit(start, end, ids, form.strength, institution)

    def _joins(self, chain: _Chain, hit: _Hit, joiner: str) -> bool:
        """Join the name to the chain if it lies inside; swallow a name that its parent does not have."""
        last = chain.hits[-1]
        inside = self._of._inside(hit.ids, last.ids)
        if not inside:
            finer = all(self._of._rank[i] > self._of._rank[last.ids[0]] for i in hit.ids)
            if not finer or hit.strength is _Strength.SHORT or joiner not in ("", "的", ","):
                return False
            # 新邱区新邱村: the district has no such village, so this is a place of its own within the district.
            chain.reasons.append("place_not_in_parent")
            self._names.append((hit.start, hit.end))
            return True
        if hit.strength is _Strength.SHORT and not self._short_name_fits(hit, last):
            return False
        hit.ids = inside
        last.ids = tuple(i for i in last.ids if self._of._inside(inside, [i])) or last.ids
        chain.hits.append(hit)
        chain.strength = _Strength.STRONG
        return True

    def _short_name_fits(self, hit: _Hit, parent: _Hit) -> bool:
        rank = self._of._rank[parent.ids[0]]
        if rank == _CITY or (rank == _COUNTY and self._joined[hit.start : hit.end] in _ORDINARY):
            return False
        return (_END_IN_COUNTY if rank == _COUNTY else _END_IN_TOWN).match(self._joined, hit.end) is not None

    def _opening(self, hit: _Hit, following: _Hit | None, *, alone: bool) -> _Chain | None:
        """Judge a name that opens a chain, `alone` or right behind another of ours: None if it is no name of ours."""
        before = self._joined[max(0, hit.start - 8) : hit.start]
        if alone and self._elsewhere_before(before):
            return None
        cue = _CUE.search(before) is not None
        in_address = hit.start < self._cut
        if hit.strength is _Strength.SHORT and _LONGER_NAME.search(before):
            return None
        if _LONGER_NAME.search(before) or (alone and self._is_brief(hit) and not cue and _GLUED.search(before)):
            hit.doubtful = True
            return _Chain([hit], _Strength.SHORT)
        if hit.strength is _Strength.SHORT:
            return self._opening_short(hit, following, cue=cue, in_address=in_address)
        if hit.strength is _Strength.PLAIN:
            if cue or in_address or self._is_all(hit):
                return _Chain([hit], _Strength.STRONG)
            hit.doubtful = following is None or not self._leads_to(hit, following)
            return _Chain([hit], _Strength.PLAIN)
        return _Chain([hit], hit.strength)

    def _opening_short(self, hit: _Hit, following: _Hit | None, *, cue: bool, in_address: bool) -> _Chain | None:
        if following is not None and following.strength is not _Strength.SHORT and self._leads_to(hit, following):
            return _Chain([hit], _Strength.SHORT)
        county = self._as_county(hit)
        opens = in_address and hit.start == 0
        asked = self._is_all(hit) or (cue and _CUE_END.match(self._joined, hit.end))
        if asked and not (opens and county):
            hit.doubtful = True
            return _Chain([hit], _Strength.SHORT)
        if county is None or not (opens or _CLAUSE_START.search(self._joined[max(0, hit.start - 2) : hit.start])):
            return None
        hit.ids = county
        return _Chain([hit], _Strength.STRONG if opens else _Strength.LONG)

    def _is_brief(self, hit: _Hit) -> bool:
        units = [self._of._units[i] for i in hit.ids if self._of._rank[i] == _UNIT]
        return hit.strength is not _Strength.SHORT and any(len(unit.core) == 2 for unit in units)

    def _leads_to(self, hit: _Hit, following: _Hit) -> bool:
        touching = _JOINER.fullmatch(self._joined, hit.end, following.start) is not None
        return touching and bool(self._of._inside(following.ids, [i for i in hit.ids if self._of._rank[i] < _UNIT]))

    def _as_county(self, hit: _Hit) -> tuple[int, ...] | None:
        """Read 海州 as its county, unless it may be something outside it or a water or a hill (细河)."""
        counties = [i for i in hit.ids if self._of._rank[i] == _COUNTY]
        if len(counties) != 1 or self._joined[hit.end - 1] in _WATERS_AND_HILLS:
            return None
        return tuple(counties) if all(self._of.holds(counties[0], i) for i in hit.ids) else None

    def _is_all(self, hit: _Hit) -> bool:
        """Tell whether address or text consist of this name alone."""
        return self._joined[hit.start : hit.end] in self._wholes

    def _elsewhere_before(self, before: str) -> bool:
        """Tell whether the name belongs to a parent that is not ours (黑山县太平村)."""
        parent = _PARENT_BEFORE.search(before)
        return parent is not None and not parent[1].endswith(_NO_PARENT)

    def _look_inside_town(self, chain: _Chain) -> None:
        """Within a town its units may be written shorter (康四村), with another ending, or with one wrong character."""
        last = chain.hits[-1]
        if len(last.ids) != 1 or self._of._rank[last.ids[0]] != _TOWN or last.doubtful:
            return
        token = _TOKEN.match(self._joined, last.end)
        if token is None:
            return
        cores = self._of._children.get(last.ids[0], {})
        name, end = token["name"], token.end()
        exact = cores.get(name, [])
        longer = [i for core, ids in cores.items() if core.startswith(name) for i in ids]
        if len(exact) == 1 or (len(longer) == 1 and token["ending"] != "屯"):
            unit = (exact or longer)[0]
            chain.hits.append(_Hit(token.start("name"), end, (unit,), _Strength.STRONG))
            chain.strength = _Strength.STRONG
            chain.reasons = ["place_short_name"]
        else:
            chain.hints += tuple(i for core, ids in cores.items() if _one_off(core, name) for i in ids)

    # -- weighing -----------------------------------------------------------------------------------------------------

    def narrow(self, chains: list[_Chain]) -> None:
        """Let the towns, then the counties, that are named anywhere decide names that several areas share."""
        sure = [hit for chain in chains if chain.strength is _Strength.STRONG for hit in chain.hits]
        named = [hit.ids[0] for hit in sure if len(hit.ids) == 1]
        for chain in chains:
            for rank in (_TOWN, _COUNTY):
                if len(chain.ids) < 2:
                    break
                inside = self._of._inside(chain.ids, [i for i in named if self._of._rank[i] == rank])
                if inside:
                    chain.hits[-1].ids = inside
                    chain.reasons.append("place_by_parent")

    def decide(self, chains: list[_Chain]) -> PlaceFound:
        """Weigh what was read: sure names first, then bare ones, then doubtful ones as a question."""
        rank = self._of._rank
        own = any(rank[i] <= _COUNTY for chain in chains if chain.strength >= _Strength.LONG for i in chain.hits[0].ids)
        leaves = [chain for chain in chains if any(rank[i] != _CITY for i in chain.ids)]
        sure = [chain for chain in leaves if chain.strength is _Strength.STRONG]
        if not own and not self._own_city_named() and self._elsewhere_named(leaves):
            for chain in [chain for chain in sure if len(chain.hits) == 1 and not self._is_own(chain)]:
                sure.remove(chain)
                chain.hits[-1].doubtful = True
                chain.reasons.append("place_elsewhere")
        sure = [chain for chain in sure if not chain.hits[-1].institution] or sure
        bare = [chain for chain in leaves if chain.strength is _Strength.LONG]
        if sure:
            return self._answer(self._refined(sure, bare), confidence=1.0, doubtful=self._doubtful(leaves))
        if bare:
            return self._answer(bare, confidence=0.7, doubtful=())
        doubtful = [chain for chain in leaves if chain.hits[-1].doubtful]
        return self._question(doubtful) if doubtful else PlaceFound("none", reasons=(normal.Reason("place_none"),))

    def _own_city_named(self) -> bool:
        return any(name in self._joined for name in self._of._city_names)

    def _elsewhere_named(self, leaves: list[_Chain]) -> bool:
        ours = [(hit.start, hit.end) for chain in leaves for hit in chain.hits]
        others = (other.span() for other in _ELSEWHERE.finditer(self._joined))
        return any(all(end <= first or start >= last for first, last in ours) for start, end in others)

    def _is_own(self, chain: _Chain) -> bool:
        start = chain.hits[0].start
        return start < self._cut or _CUE.search(self._joined[max(0, start - 8) : start]) is not None

    def _refined(self, sure: list[_Chain], bare: list[_Chain]) -> list[_Chain]:
        """Let a bare name inside the only sure place make it finer: 佛寺镇那边, 八道岭的沟里."""
        kept = self._absorbed(sure)
        if len(kept) == 1 and len(kept[0].ids) == 1:
            finer = [chain for chain in bare if len(self._of._inside(chain.ids, kept[0].ids)) == 1 == len(chain.ids)]
            return finer if len({chain.ids for chain in finer}) == 1 else kept
        return kept

    def _absorbed(self, chains: list[_Chain]) -> list[_Chain]:
        """Drop what is said more finely elsewhere, and repetitions."""
        kept: list[_Chain] = []
        for chain in chains:
            if any(set(other.ids) < set(chain.ids) or self._finer(other, chain) for other in chains):
                continue
            if all(other.ids != chain.ids for other in kept):
                kept.append(chain)
        return kept

    def _finer(self, chain: _Chain, than: _Chain) -> bool:
        return len(self._of._inside(chain.ids, than.ids)) == len(chain.ids)

    def _doubtful(self, leaves: list[_Chain]) -> tuple[int, ...]:
        return tuple(i for chain in leaves if chain.hits[-1].doubtful for i in chain.ids)

    def _answer(self, chains: list[_Chain], *, confidence: float, doubtful: tuple[int, ...]) -> PlaceFound:
        chains = self._absorbed(chains)
        ids = {i for chain in chains for i in chain.ids}
        if len(ids) > 1:
            return self._question(chains)
        area_id = ids.pop()
        unit = self._of._units[area_id]
        hints = [i for chain in chains for i in chain.hints] + [i for i in doubtful if self._of._inside([i], [area_id])]
        spans = self._words(chains)
        kind = "place_named" if confidence == 1.0 else "place_bare"
        reasons = [normal.Reason(kind, spans, {"name": unit.display_name or unit.name, "level": unit.kind})]
        reasons += [normal.Reason(kind, spans) for kind in dict.fromkeys(kind for c in chains for kind in c.reasons)]
        return PlaceFound(
            "found",
            area_id,
            unit.kind,
            tuple(dict.fromkeys(hints)),
            within=self._of._county(area_id),
            rest=self._rest(chains[0].end),
            confidence=0.9 * confidence if unit.kind == "county" else confidence,
            spans=spans,
            reasons=tuple(reasons),
        )

    def _question(self, chains: list[_Chain]) -> PlaceFound:
        units = self._of._units
        ids = sorted({i for chain in chains for i in chain.ids}, key=lambda i: (units[i].code, i))
        spans = self._words(chains)
        reasons = [normal.Reason("place_ambiguous", spans, {"n": len(ids)})]
        reasons += [normal.Reason(kind, spans) for kind in dict.fromkeys(kind for c in chains for kind in c.reasons)]
        within = self._of._common_county(ids)
        return PlaceFound("ambiguous", None, "", tuple(ids), within, "", 0.3, spans, tuple(reasons))

    # -- pointing back ------------------------------------------------------------------------------------------------

    def names(self) -> tuple[Interval, ...]:
        """Return the intervals of the normalised text that are names of places, for the reader of words to skip."""
        return tuple((start - self._cut, end - self._cut) for start, end in self._names if start >= self._cut)

    def _words(self, chains: list[_Chain]) -> tuple[normal.Word, ...]:
        return tuple(self._word(hit.start, hit.end) for chain in chains for hit in chain.hits)

    def _word(self, start: int, end: int) -> normal.Word:
        if start < self._cut:
            return self._address.word(start, end)
        return self._told.word(start - self._cut, end - self._cut)

    def _rest(self, end: int) -> str:
        part = _REST_OF_ADDRESS if end < self._cut else _REST_OF_TEXT
        rest = part.match(self._joined, end)
        return self._word(rest.start(1), rest.end(1)).text if rest and rest[1] else ""


def _one_off(core: str, name: str) -> bool:
    return len(core) == len(name) > 2 and sum(a != b for a, b in zip(core, name, strict=True)) == 1


# -- every way of writing a name --------------------------------------------------------------------------------------


def _all_forms(units: Iterable[Unit]) -> dict[str, _Form]:
    ids: dict[str, dict[int, _Strength]] = {}
    checked: dict[str, bool] = {}
    for unit in units:
        for written, strength, is_checked in _ways_of_writing(unit):
            text = normal.normalise(written).text
            if len(text) < 2:
                continue
            known = ids.setdefault(text, {})
            known[unit.id] = max(strength, known.get(unit.id, strength))
            checked[text] = is_checked and checked.get(text, True)
    return {text: _Form(tuple(known), max(known.values()), checked[text]) for text, known in ids.items()}


def _ways_of_writing(unit: Unit) -> Iterator[tuple[str, _Strength, bool]]:
    core = unit.core or unit.name
    spoken = core in (_SPEECH if _RANK[unit.kind] == _UNIT else _SPEECH_OF_TOWNS)
    full = _Strength.PLAIN if spoken else _Strength.STRONG
    if unit.kind == "city":
        yield core, _Strength.STRONG, True
    if unit.kind != "grid":  # names of grids repeat everywhere (第一网格); a grid is found by its outline
        yield unit.name, full, False
        yield unit.display_name, full, False
        for ending in _endings(unit):
            yield core.removesuffix(ending[0]) + ending if len(ending) == 1 else core + ending, full, False
    if unit.kind in _BARE_KINDS:
        long = len(core) > 2 and core not in _ORDINARY and not core.endswith(_ROADS)
        yield core, _Strength.LONG if long else _Strength.SHORT, True
    if unit.kind == "village" and not core.endswith("屯"):
        yield f"{core}屯", _Strength.LONG if len(core) > 1 else _Strength.SHORT, True
    for alias, kind in unit.aliases:
        if alias == core:
            continue  # the bare core never becomes certain by being listed (新邱, 太平)
        if kind == "short":
            yield alias, _Strength.LONG if len(alias) > 2 else _Strength.SHORT, True
        else:
            by_rule = kind in ("form", "corrected")  # 同意村 is as doubtful by the list of forms as by its name
            spoken_name = kind in ("everyday", "former", "historical") and not alias.endswith(_ADMINISTRATIVE)
            yield alias, full if by_rule else _Strength.STRONG, spoken_name


def _endings(unit: Unit) -> tuple[str, ...]:
    match unit.kind:
        case "village" if unit.suffix in ("", "村"):
            return ("村", "村委会", "村民委员会", "村村委会", "村村民委员会")
        case "community" if unit.suffix in ("", "社区"):
            return ("社区", "居委会", "社区居委会", "社区居民委员会")
        case "town":
            # 乡 became 镇 in many places and both are still said.
            return ("街道", "街道办", "街道办事处", "办事处") if "街道" in unit.name else ("镇", "乡")
        case "county" | "village" | "community" if unit.suffix:
            return (unit.suffix,)
        case _:
            return ()


_MOST = 40  # a text that names more places than this is a list of them; the rest cannot make it clearer
_CITY, _COUNTY, _TOWN, _UNIT, _GRID = range(5)
_RANK = {"city": _CITY, "county": _COUNTY, "town": _TOWN, "functional": _TOWN, "community": _UNIT, "village": _UNIT}
_RANK["grid"] = _GRID
_BARE_KINDS = ("county", "town", "community", "village")

# -- what stands around a name ----------------------------------------------------------------------------------------

_HAN = "[\u4e00-\u9fff]"
_STOP = r"[\n,。.、;:!?()《》“”\"']"
_ROADS = ("路", "街", "巷", "桥", "站", "胡同")
_ADMINISTRATIVE = ("村", "社区", "屯", "镇", "街道", "乡", "区", "县", "市", "委会", "办事处", "管委会")
_WATERS_AND_HILLS = tuple("河江湖海山岭溪")
_MARKS = re.compile(rf"{_STOP}|的")

_NOT_A_UNIT = re.compile(
    "路|大?街|巷|胡同|[大小]?桥|站|小区|市场|饭店|超市|酒店|宾馆|旅[馆店社]|广场|公园|花园|家园|苑|医院|银行|大厦|大楼|学校"
    "|[中小大]学|[高初]中|幼儿园|公司|集团|[工电水]?厂|煤?矿|[^的]{0,4}[局馆院]|派出所|卫生[室所]|加油|商[店场城]|药[店房]"
    "|[大小]?河|湖|水库|水|山|里|边|畔|岸|沿|上|中|下|热[力电]|供热|物业|电视|车|族|保险|人寿"
)
_NOT_A_VILLAGE = re.compile("镇|级|务|庄")  # 村镇银行, 村级, 村务公开, 村庄
_INSTITUTION = re.compile(
    "(?:人民)?(?:政府|法院|检察院)|[^,。的]{0,6}(?:局|医院|委员会|中学|小学|高中|幼儿园|银行|信用社|卫生院)"
    "|公安|派出所|信访|纪[委检]|监委|区?委|办事处|法庭|交警|城管|综治|社保|医保|书记|镇长|乡长|县长|区长|领导|干部|阜政通"
)
_SEATS = ("政府", "办事处", "街道办")
_JOINER = re.compile(r"[,、\-/·]?|(?:下属|所属|所辖|管辖|辖区)?的?")
_CUE = re.compile(r"(?:家住|住在?|家[在是]|[我俺咱]们?是|位于|坐落[在于]|地[址点]:?|老家)\Z")
_CUE_END = re.compile(rf"$|{_STOP}|[的这那]")
_CLAUSE_START = re.compile(rf"(?:^|{_STOP}|[在住是到去从]|[我俺咱]们?)\Z")
_END_IN_TOWN = re.compile(rf"$|{_STOP}|[的这那有]|\d")
_END_IN_COUNTY = re.compile(rf"$|{_STOP}|\d")
# 小西山村, 东新华村 are no villages of the list: a size or a side before the name makes another name of it.
_LONGER_NAME = re.compile(rf"(?:^|{_STOP}|[的在住是到去来从镇乡区县市道])[东南西北上下前后大小老新]\Z")
# 丽发新城社区 is not 新城社区: a short core that hangs on a word other than these may be the tail of another name.
_GLUED = re.compile(
    rf"(?=.\Z){_HAN}(?<![的地得在住是到去来从和与跟于自经往至离靠镇乡区县市村路街道们家咱俺我你您他她这那此该本贵映诉告近为由向])"
    "(?<![对给被让请问找将把叫及或即属归回出进过就只仅也还都有没了着吧呢啊吗号楼组点分日月年天夜晚早上午前后时间里外中下边面旁])"
)
_PARENT_BEFORE = re.compile(rf"((?:[a-z]\d*|\d|{_HAN})(?:市|县|区|镇|乡|街道))[的,、]?\Z")
_NO_PARENT = tuple(
    normal.listed(
        """
        本市 全市 我市 该市 城市 超市 都市 菜市 早市 夜市 集市 门市 闹市 本县 我县 全县 该县 外县 小区 社区 本区 我区
        全区 该区 片区 园区 厂区 矿区 校区 城区 市区 郊区 新区 发区 地区 山区 景区 库区 灾区 林区 辖区 街区 陷区 户区
        宅区 活区 老区 学区 牧区 乡镇 本镇 我镇 全镇 城镇 该镇 村镇 城乡 老乡 下乡 家乡 我乡 本乡 全乡 回乡 返乡 该乡
        本街道 我街道 各街道 们街道 全街道
"""
    )
)
_TOKEN = re.compile(rf"的?(?P<name>{_HAN}{{2,8}}?)(?P<ending>村民委员会|村委会|村|社区|居委会|屯)")
_REST_OF_ADDRESS = re.compile(r"[,、的]?([^\n]{0,40})")
_REST_OF_TEXT = re.compile(r"[,、的]?((?:[\w]{1,8}?(?:屯|组|小区|花园|家园|号楼|单元|[号栋幢室层]|胡同|路|街)){0,5})")
# Other cities by name, and places hidden behind a letter (A市): then a name alone may well be one of theirs.
_ELSEWHERE = re.compile(
    r"[a-z]\d{0,2}[市县区镇]|北京|上海|天津|重庆|沈阳|大连|鞍山|抚顺|本溪|丹东|锦州|营口|辽阳|盘锦|铁岭|朝阳市|葫芦岛|阜新市|通辽|赤峰"
    "|哈尔滨|长春|石家庄|唐山|秦皇岛|太原|呼和浩特|济南|青岛|南京|苏州|杭州|宁波|合肥|福州|厦门|南昌|郑州|武汉|长沙|广州|深圳|南宁|海口"
    "|成都|贵阳|昆明|拉萨|西安|兰州|西宁|银川|乌鲁木齐|[一-鿿]{2}省[一-鿿]{2,4}市"
)

# Cores which, with their ending, are ordinary speech: 不同意村委会的方案, 建设社区活动中心, 主城区街道.
# Then even "core + ending" needs a parent, a cue or the address line; without one it is asked, never taken.
_SPEECH = normal.listed(
    """
    同意 建设 新建 开发 振兴 集中 城区 城市 农村 乡村 自然屯 教育 科技 文化 卫生 平安 阳光 文明 和谐 美丽 示范 先进
    模范 生态 智慧 新村 老城 团结 解放 安全 爱国 创新 创业 便民 利民 惠民 富民 居民 农民 实验 中心 中学 小学 老虎
    果树 一棵树 新房子
"""
)
_SPEECH_OF_TOWNS = frozenset({"城区", "城市", "农村", "建设", "开发", "新建", "中心"})  # 主城区街道, 建设镇医院
# Cores that are ordinary words: without an ending they name no place, not even behind a county (海州区公园).
_ORDINARY = _SPEECH | normal.listed(
    """
    公园 花园 乐园 果园 体育 前进 民族 民主 民治 水塔 矿山 柳树 梨树 杨树 石场 烧锅 大道 交通 运输 电工 工电 电务
    机务 矿联 站前 老站 新城 新地 新生 新发 和平 和睦 幸福 光明 群力 青年 繁荣 安居 安宁 爱民 强民 为民 革新 革命
    胜利 友好 先锋 中部 东部 西部 南部 北部 东方 西方 北方 南方 城东 城西 城南 城北 村庄 路南 路北 院东 东门 西门
    东郊 西郊 东关 西关 大众 人民 群众 工人 工农 四间房 火车头 变电所 机务段 东南段 三块石 百亩园 半截塔 六一一
    三一八 北方花园 好不代
"""
)

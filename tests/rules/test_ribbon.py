from __future__ import annotations

import re
import string
import unicodedata
from dataclasses import fields
from datetime import date, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzhengtong.web import design_samples, ribbon
from fuzhengtong.web.ribbon import EN, ZH, Ribbon, Tick, Words

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 10, 32, tzinfo=ZONE)  # a Tuesday
START = datetime(2026, 11, 20, 8, 14, tzinfo=ZONE)
SVG = "{http://www.w3.org/2000/svg}"
STATES = {"kept", "kept_late", "running", "owed", "late", "paused"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


def weekdays(day: date) -> bool:
    return day.weekday() < 5


def drawn(
    *ticks: Tick, now=NOW, start=START, size="m", width=288, words=ZH, closed=(), is_working=weekdays, **more
) -> Ribbon:
    return ribbon.draw(
        start=start,
        now=now,
        ticks=ticks,
        closed_days=closed,
        size=size,
        width=width,
        words=words,
        zone=ZONE,
        is_working=is_working,
        **more,
    )


def tree(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def percent(text: str) -> float:
    assert text.endswith("%")
    return float(text[:-1])


def marks(svg: str) -> list[tuple[str, float]]:
    """Return state and place of every mark, in the order of the drawing."""
    found = []
    for node in tree(svg).iter(f"{SVG}svg"):
        names = (node.get("class") or "").split()
        if "rb-mark" in names:
            (state,) = [name.removeprefix("rb-") for name in names if name.removeprefix("rb-") in STATES]
            found.append((state, percent(node.get("x"))))
    return found


def texts(svg: str, width: float) -> list[tuple[str, float, float, float]]:
    """Return every text with its line and its left and right edge in px, by a width of letters of our own."""
    found = []
    for group in tree(svg).iter(f"{SVG}g"):
        if group.get("font-size") is None:
            continue
        size = float(group.get("font-size"))
        for node in group.iter(f"{SVG}text"):
            wide = sum(
                size if unicodedata.east_asian_width(letter) in "WF" else size * 0.5 for letter in node.text or ""
            )
            middle = percent(node.get("x")) / 100 * width + float(node.get("dx") or 0)
            found.append((node.text, float(node.get("y")), middle - wide / 2, middle + wide / 2))
    return found


instants = st.integers(-6 * 1440, 30 * 1440).map(lambda minutes: NOW + timedelta(minutes=minutes))
names = st.text(
    alphabet=st.one_of(
        st.sampled_from("受理交办结回访督复阶段性答"), st.sampled_from(string.printable + "<>&\"'\x00\x0b￿")
    ),
    min_size=1,
    max_size=9,
)


@st.composite
def any_tick(draw) -> Tick:
    # Duties are met and paused in the past of the page; only their due times lie anywhere.
    past = st.integers(0, 5 * 1440).map(lambda minutes: NOW - timedelta(minutes=minutes))
    return Tick(
        name=draw(names),
        kind="finish",
        due=draw(instants),
        met=draw(st.none() | past),
        paused_from=draw(st.none() | past),
        owner=draw(st.sampled_from(["", "玉新街道办事处", "<b>&"])),
        unit=draw(st.sampled_from(["wall_minutes", "working_hours", "calendar_days", "working_days"])),
        provisional=draw(st.booleans()),
    )


some_ticks = st.lists(any_tick(), max_size=14).map(tuple)
some_size = st.sampled_from(
    [("s", 120, 14), ("m", 288, 14), ("m", 360, 20), ("l", 288, 16), ("l", 288, 20), ("l", 760, 14)]
)
closed_days = st.lists(
    st.integers(-6, 30).map(lambda day: datetime(2026, 11, 24, tzinfo=ZONE) + timedelta(days=day)), max_size=4
).map(lambda days: [(day, day + timedelta(days=1)) for day in days])


class TestLawsOfTheDrawing:
    @settings(max_examples=30, deadline=None)
    @given(ticks=some_ticks, how=some_size, closed=closed_days, words=st.sampled_from([ZH, EN]), ended=st.booleans())
    def test_it_is_well_formed_and_brings_no_style_no_script_and_no_id(self, ticks, how, closed, words, ended):
        size, width, text = how

        found = drawn(*ticks, size=size, width=width, text=text, closed=closed, words=words, ended=ended)

        for svg in filter(None, (found.svg, found.narrow, *(row.mark for row in found.rows))):
            for node in tree(svg).iter():
                assert node.tag.removeprefix(SVG) in {"svg", "g", "rect", "line", "path", "circle", "text"}
                assert not {name for name in node.attrib if name in ("style", "id", "href") or name.startswith("on")}

    @settings(max_examples=30, deadline=None)
    @given(ticks=some_ticks, how=some_size)
    def test_every_duty_has_one_mark_and_the_marks_stand_in_the_order_of_time(self, ticks, how):
        size, width, text = how

        found = drawn(*ticks, size=size, width=width, text=text)

        for svg in filter(None, (found.svg, found.narrow)):
            places = [place for _, place in marks(svg)]
            assert len(places) == len(ticks)
            assert places == sorted(places)
        assert [row.name for row in found.rows] == [
            # Equal instants: what was met stands before what is still owed, then the order in which they came.
            tick.name
            for tick in sorted(ticks, key=lambda tick: (max(tick.met or tick.due, START), tick.met is None))
        ]

    @settings(max_examples=30, deadline=None)
    @given(ticks=some_ticks, how=some_size, closed=closed_days)
    def test_nothing_leaves_the_width_it_was_drawn_for(self, ticks, how, closed):
        size, width, text = how

        found = drawn(*ticks, size=size, width=width, text=text, closed=closed)

        for svg, wide in ((found.svg, width), (found.narrow, ribbon.NARROWEST)):
            if not svg:
                continue
            assert all(0 <= place <= 100 for _, place in marks(svg))
            for node in tree(svg).iter(f"{SVG}rect"):
                assert percent(node.get("x")) + percent(node.get("width")) <= 100.05
            for said, _, left, right in texts(svg, wide):
                assert left >= -1 and right <= wide + 1, said

    @settings(max_examples=30, deadline=None)
    @given(ticks=some_ticks, how=some_size)
    def test_no_two_names_touch(self, ticks, how):
        size, width, text = how

        found = drawn(*ticks, size=size, width=width, text=text)

        for svg, wide in ((found.svg, width), (found.narrow, ribbon.NARROWEST)):
            lines: dict[float, list[tuple[float, float]]] = {}
            for _, line, left, right in texts(svg, wide) if svg else []:
                lines.setdefault(line, []).append((left, right))
            for spans in lines.values():
                assert all(first[1] < second[0] for first, second in pairwise(sorted(spans)))

    @settings(max_examples=30, deadline=None)
    @given(ticks=some_ticks, how=some_size, words=st.sampled_from([ZH, EN]))
    def test_the_label_and_the_rows_name_every_duty_and_who_owes_it(self, ticks, how, words):
        size, width, text = how

        found = drawn(*ticks, size=size, width=width, text=text, words=words)

        assert len(found.rows) == len(ticks)
        assert [row.number for row in found.rows] == list(range(1, len(ticks) + 1))
        for row in found.rows:
            assert f"{row.name} {row.text}" in found.label
            assert "{" not in row.text.replace(row.owner, "")
        for tick in ticks:
            assert tick.met is not None or tick.owner in found.label
        # What readers hear is the label, but for letters that XML cannot carry.
        heard = tree(found.svg).get("aria-label")
        assert re.sub(r"\s", " ", heard) == re.sub(r"\s", " ", ribbon._NOT_XML.sub("", found.label))

    @settings(max_examples=40, deadline=None)
    @given(ticks=some_ticks, how=some_size)
    def test_what_is_late_is_never_drawn_as_kept_and_what_is_kept_never_as_late(self, ticks, how):
        size, width, text = how
        late = sum(1 for tick in ticks if (tick.met or NOW) > tick.due and (tick.met or not tick.paused_from))
        kept = sum(1 for tick in ticks if tick.met is not None and tick.met <= tick.due)

        found = drawn(*ticks, size=size, width=width, text=text)

        for svg in filter(None, (found.svg, found.narrow)):
            shown = [state for state, _ in marks(svg)]
            assert sum(state in ("late", "kept_late") for state in shown) == late
            assert shown.count("kept") == kept
        assert not (late and found.state == "kept")
        assert (found.state == "late") == any(
            tick.met is None and tick.paused_from is None and tick.due < NOW for tick in ticks
        )

    @settings(max_examples=40, deadline=None)
    @given(ticks=some_ticks, how=some_size, words=st.sampled_from([ZH, EN]))
    def test_the_same_facts_give_the_same_picture(self, ticks, how, words):
        size, width, text = how

        first = drawn(*ticks, size=size, width=width, text=text, words=words)
        second = drawn(*ticks, size=size, width=width, text=text, words=words)

        assert first == second

    @settings(max_examples=30, deadline=None)
    @given(count=st.integers(1, 6), minutes=st.integers(0, 90), how=st.sampled_from([("s", 120, 9), ("m", 288, 18)]))
    def test_marks_closer_than_a_finger_are_pushed_apart(self, count, minutes, how):
        size, width, least = how
        ticks = [
            Tick("办", "finish", NOW + timedelta(days=9), met=START + timedelta(minutes=minutes * n))
            for n in range(count)
        ]

        places = [place * width / 100 for _, place in marks(drawn(*ticks, size=size, width=width, now=NOW).svg)]

        assert all(right - left >= least - 0.1 for left, right in pairwise(places))


class TestShapes:
    def test_every_mark_has_a_shape_of_its_own_without_its_colour(self):
        shapes = {
            re.sub(r' class="(rb-mark )?rb-(kept|kept_late|running|owed|late|paused)"', "", mark)
            for mark, _ in ribbon.legend(words=ZH)
        }
        words = [word for _, word in ribbon.legend(words=ZH)]

        # Running and coming are both hollow rings; the running one is thicker.
        assert len(shapes) == len(words) == 7

    @pytest.mark.parametrize(
        ("tick", "state"),
        [
            (Tick("办结", "finish", at("11-23 12:00"), met=at("11-23 12:00")), "kept"),
            (Tick("办结", "finish", at("11-23 12:00"), met=at("11-23 12:01")), "kept_late"),
            (Tick("办结", "finish", NOW), "running"),
            (Tick("办结", "finish", NOW - timedelta(seconds=1)), "late"),
            (Tick("办结", "finish", NOW - timedelta(days=1), paused_from=at("11-22 09:00")), "paused"),
        ],
    )
    def test_a_duty_is_drawn_as_what_it_is(self, tick, state):
        found = drawn(tick)

        assert [shown for shown, _ in marks(found.svg)] == [state]
        assert found.rows[0].state == state

    def test_only_the_next_duty_runs_and_the_others_are_still_to_come(self):
        found = drawn(Tick("回访", "visit", at("12-03 12:00")), Tick("办结", "finish", at("12-01 12:00")))

        assert [(row.name, row.state) for row in found.rows] == [("办结", "running"), ("回访", "owed")]
        assert found.current is found.rows[0]

    def test_a_pause_is_hatched_from_where_it_began(self):
        found = drawn(Tick("受理", "accept", at("11-25 12:00"), paused_from=at("11-22 09:00")))

        hatch = [node for node in tree(found.svg).iter(f"{SVG}svg") if node.get("class") == "rb-hatch"]
        assert len(hatch) == 1 and hatch[0][0].get("stroke-dasharray")
        assert found.state == "paused"

    def test_closed_days_are_drawn_lighter_and_touching_ones_only_once(self):
        weekend = [(at("11-21 00:00"), at("11-22 00:00")), (at("11-22 00:00"), at("11-23 00:00"))]

        found = drawn(Tick("办结", "finish", at("12-01 12:00")), closed=weekend)

        assert found.svg.count('class="rb-closed"') == 1

    def test_a_provisional_date_has_a_broken_outline_and_says_why(self):
        found = drawn(Tick("办结", "finish", datetime(2027, 1, 5, tzinfo=ZONE), provisional=True))

        assert "stroke-dasharray" in found.svg
        assert "暂定" in found.words and "暂定" in found.brief and "2027" in found.words

    def test_an_ended_case_has_no_now(self):
        kept = Tick("办结", "finish", at("11-25 12:00"), met=at("11-23 12:00"))

        assert "rb-now" not in drawn(kept, Tick("回访", "visit", at("11-26 12:00")), ended=True).svg
        assert "rb-now" in drawn(kept, Tick("回访", "visit", at("11-26 12:00"))).svg

    def test_a_name_cannot_bring_its_own_markup(self):
        found = drawn(
            Tick('"><script>x</script>', "finish", at("12-01 12:00"), owner='" onload="x'), size="l", width=760
        )

        assert "<script" not in found.svg and 'onload="' not in found.svg
        tree(found.svg), tree(found.narrow)


class TestForms:
    def test_a_wide_one_writes_the_dates_under_its_marks_and_draws_a_narrow_one_beside(self):
        found = drawn(
            Tick("受理", "accept", at("11-24 00:00"), met=at("11-20 08:52")),
            Tick("办结", "finish", at("12-02 00:00")),
            size="l",
            width=720,
        )

        said = [text for text, *_ in texts(found.svg, 720)]
        assert found.form == "dated" and not found.listed
        assert said == [
            "受理",
            "11\u00a0月\u00a020\u00a0日",
            "08:52 已办",
            "办结",
            "12\u00a0月\u00a01\u00a0日",
            "24:00 前",
        ]
        assert [text for text, *_ in texts(found.narrow, ribbon.NARROWEST)] == ["受理", "办结"]

    def test_a_dated_mark_says_with_one_word_how_its_duty_ended(self):
        found = drawn(
            Tick("受理", "accept", at("11-20 09:00"), met=at("11-20 09:40")),
            Tick("交办", "assign", at("11-23 12:00")),
            Tick("补充", "info", at("11-26 12:00"), paused_from=at("11-23 12:00")),
            size="l",
            width=720,
        )

        said = {text for text, *_ in texts(found.svg, 720)}
        assert {"09:40 晚了", "12:00 逾期", "暂停计时"} <= said

    def test_more_duties_than_names_fit_are_numbered_and_listed(self):
        ticks = [Tick(f"督办回复{n}", "reply", at("12-01 12:00") + timedelta(days=n)) for n in range(9)]

        found = drawn(*ticks, size="l", width=288, text=16)

        assert found.form == "numbered" and found.numbered and found.listed
        assert [text for text, *_ in texts(found.svg, 288)] == [str(n) for n in range(1, 10)]
        assert [row.name for row in found.rows] == [tick.name for tick in ticks]

    def test_a_medium_one_without_room_keeps_the_name_of_what_is_late(self):
        ticks = [Tick(f"满意回访{n}", "visit", at("12-01 12:00") + timedelta(hours=n)) for n in range(6)]
        late = Tick("阶段性答复", "interim_reply", at("11-23 12:00"))

        found = drawn(late, *ticks, size="m", width=288)

        named = texts(found.svg, 288)
        assert {"阶段性答复", "满意回访5"} <= {text for text, *_ in named}
        assert all(left >= 0 and right <= 288 for _, _, left, right in named)

    def test_a_small_one_has_its_width_and_no_text(self):
        found = drawn(Tick("办结", "finish", at("12-01 12:00")), size="s", width=120)

        assert tree(found.svg).get("width") == "120" and tree(found.svg).get("height") == "14"
        assert texts(found.svg, 120) == []

    def test_a_case_that_owes_nothing_says_so(self):
        found = drawn()

        assert (found.state, found.words, found.current) == ("none", "现在没有欠着的承诺", None)


class TestWords:
    @pytest.mark.parametrize(
        ("tick", "words", "brief"),
        [
            (Tick("办结", "finish", at("11-27 00:00")), "还剩 2 个工作日，到周四 24:00", "还剩 2 个工作日"),
            (Tick("办结", "finish", at("11-26 00:00")), "还剩 1 个工作日，到明天 24:00", "还剩 1 个工作日"),
            (Tick("办结", "finish", at("12-02 00:00")), "还剩 5 个工作日，到下周二 24:00", "还剩 5 个工作日"),
            (Tick("办结", "finish", at("12-08 17:00")), "还剩 10 个工作日，到 12 月 8 日 17:00", "还剩 10 个工作日"),
            (Tick("办结", "finish", at("11-25 00:00")), "还剩 13 小时，到今天 24:00", "还剩 13 小时"),
            (Tick("办结", "finish", at("11-24 17:00")), "还剩 6 小时 28 分，到今天 17:00", "还剩 6 小时 28 分"),
            (
                Tick("分拨", "dispatch", NOW + timedelta(seconds=59), unit="wall_minutes"),
                "还剩不到 1 分钟，到今天 10:32",
                "还剩不到 1 分钟",
            ),
            (Tick("签收", "sign", at("11-25 09:30"), unit="working_hours"), "到明天 09:30", "到明天 09:30"),
            (Tick("回访", "visit", at("11-29 00:00"), unit="calendar_days"), "还剩 4 天，到周六 24:00", "还剩 4 天"),
            (Tick("进度", "visit", at("11-26 10:32"), unit="wall_hours"), "还剩 2 天，到周四 10:32", "还剩 2 天"),
            (
                Tick("办结", "finish", at("11-24 00:00"), owner="某街道"),
                "逾期 10 小时，应在 11 月 23 日 24:00 前，由某街道负责",
                "逾期 10 小时",
            ),
            (
                Tick("办结", "finish", at("11-21 00:00")),
                "逾期 1 个工作日，应在 11 月 20 日 24:00 前",
                "逾期 1 个工作日",
            ),
            (
                Tick("办结", "finish", at("11-20 09:00"), unit="calendar_days"),
                "逾期 4 天，应在 11 月 20 日 09:00 前",
                "逾期 4 天",
            ),
            (
                Tick("受理", "accept", at("11-25 00:00"), paused_from=at("11-23 00:00")),
                "暂停计时，自 11 月 23 日 00:00",
                "暂停计时",
            ),
            (Tick("办结", "finish", at("11-25 00:00"), met=at("11-23 09:00")), "全部按时办完", "全部按时办完"),
            (
                Tick("办结", "finish", at("11-20 17:00"), met=at("11-23 17:00")),
                "全部办完，1 项晚了",
                "全部办完，1 项晚了",
            ),
        ],
    )
    def test_the_running_duty_is_said_as_a_person_would(self, tick, words, brief):
        found = drawn(tick)

        assert (found.words.replace("\u00a0", " "), found.brief) == (words, brief)

    def test_a_working_saturday_counts_because_the_calendar_says_so(self):
        tick = Tick("办结", "finish", at("12-01 00:00"))

        in_lieu = drawn(tick, is_working=lambda day: weekdays(day) or day == date(2026, 11, 28))

        assert (drawn(tick).brief, in_lieu.brief) == ("还剩 4 个工作日", "还剩 5 个工作日")

    def test_lateness_counts_whole_working_days_from_the_hour_the_term_ended(self):
        due = at("11-23 17:00")
        early = drawn(Tick("办结", "finish", due), now=at("11-24 16:59"))
        full = drawn(Tick("办结", "finish", due), now=at("11-24 17:00"))

        assert (early.brief, full.brief) == ("逾期 23 小时", "逾期 1 个工作日")

    def test_english_says_the_same_with_one_and_many(self):
        one = drawn(Tick("Finish", "finish", at("11-26 00:00")), words=EN)
        many = drawn(Tick("Finish", "finish", at("12-02 00:00"), owner="Yuxin"), words=EN)
        late = drawn(Tick("Finish", "finish", at("11-21 00:00"), owner="Yuxin"), words=EN)

        assert one.words == "1 working day left, until tomorrow 24:00"
        assert many.words == "5 working days left, until Tue 1\u00a0Dec, 24:00"
        assert late.words == "1 working day late, was due by 20\u00a0Nov, 24:00, owed by Yuxin"

    @pytest.mark.parametrize(
        ("due", "state"), [("11-24 17:00", "due"), ("11-26 00:00", "due"), ("11-27 00:00", "running")]
    )
    def test_the_last_working_day_is_due_and_before_it_the_duty_runs(self, due, state):
        assert drawn(Tick("办结", "finish", at(due))).state == state

    def test_an_overdue_duty_is_spoken_of_before_a_pause_and_before_what_comes_next(self):
        paused = Tick("受理", "accept", at("11-22 12:00"), paused_from=at("11-21 12:00"))
        coming, late = Tick("回访", "visit", at("11-25 12:00")), Tick("办结", "finish", at("11-23 12:00"))

        assert drawn(coming, paused, late).current.name == "办结"
        assert drawn(coming, paused).current.name == "受理"
        assert drawn(coming).current.name == "回访"

    def test_both_languages_have_the_same_blanks_in_every_sentence(self):
        def blanks(template: object) -> set[str]:
            parts = [template] if isinstance(template, str) else template
            return {name for part in parts for _, name, _, _ in string.Formatter().parse(part) if name}

        # A date may need more of its parts in one language than in the other.
        free = {"next_week"}
        for field in fields(Words):
            if field.name not in free:
                assert blanks(getattr(ZH, field.name)) == blanks(getattr(EN, field.name)), field.name


class TestRefusals:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"now": datetime(2026, 11, 24, 10, 32)},
            {"start": datetime(2026, 11, 24, 10, 32)},
            {"size": "xl"},
            {"width": 0},
            {"text": 0},
            {"closed": [(NOW, NOW)]},
        ],
    )
    def test_what_cannot_be_drawn_is_refused(self, wrong):
        with pytest.raises(ValueError):
            drawn(Tick("办结", "finish", NOW), **wrong)

    def test_a_naive_due_time_is_refused(self):
        with pytest.raises(ValueError):
            drawn(Tick("办结", "finish", datetime(2026, 12, 1)))


class TestStack:
    @given(done=st.integers(0, 5000), running=st.integers(0, 5000), late=st.integers(0, 5000))
    @settings(max_examples=30, deadline=None)
    def test_every_part_that_is_not_empty_is_seen_and_none_leaves_the_bar(self, done, running, late):
        found = ribbon.stack(done=done, running=running, late=late, words=ZH, width=200)

        bars = [node for node in tree(found.svg).iter(f"{SVG}rect") if "rb-stack" in node.get("class")]
        assert len(bars) == sum(1 for number in (done, running, late) if number)
        for bar in bars:
            x = percent(bar.get("x") or "0%")
            assert percent(bar.get("width")) >= 0.9 and x + percent(bar.get("width")) <= 100.1

    def test_it_says_its_sum_and_of_what(self):
        found = ribbon.stack(done=180, running=29, late=5, words=ZH, title="今日到期")

        assert found.label == "今日到期 214：已办 180 · 在办 29 · 逾期 5"
        assert tree(found.svg).get("aria-label") == found.label
        assert found.total == 214

    def test_the_late_part_stands_taller(self):
        bars = {
            bar.get("class"): float(bar.get("height"))
            for bar in tree(ribbon.stack(done=3, running=2, late=1, words=ZH).svg).iter(f"{SVG}rect")
        }

        assert bars["rb-stack-late"] > bars["rb-stack-done"] == bars["rb-stack-running"]

    def test_less_than_nothing_is_refused(self):
        with pytest.raises(ValueError):
            ribbon.stack(done=-1, running=0, late=0, words=ZH)


class TestSamples:
    @pytest.mark.parametrize("words", [ZH, EN])
    def test_the_design_page_shows_every_state_size_and_form(self, words):
        found = [sample.ribbon for sample in design_samples.samples(words=words) if sample.ribbon]

        assert {row.state for shown in found for row in shown.rows} == STATES
        assert {shown.size for shown in found} == {"s", "m", "l"}
        assert {shown.form for shown in found} == {"bare", "named", "numbered", "dated"}
        assert {shown.state for shown in found} >= {"kept", "running", "due", "late", "paused"}

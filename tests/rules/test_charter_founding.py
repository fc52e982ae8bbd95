"""The founding edition of Fuxin: every promise of the city, its unit and its source, and the finish terms."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import UTC, date, datetime, time
from types import MappingProxyType

import pytest

from fuzhengtong.charter import load
from fuzhengtong.charter.editions import (
    DUTY_KINDS,
    URGENCIES,
    Charter,
    Charters,
    FinishTerm,
    NoEdition,
    Rate,
    Rung,
    Span,
    Statutory,
)
from fuzhengtong.kernel.due import Unit

FOLDER = load.find_folder("charters/fuxin")
CHARTERS = load.load_charters(FOLDER)
FOUNDING = CHARTERS.edition("2022-10")

MINUTES, HOURS, OFFICE_HOURS = Unit.WALL_MINUTES, Unit.WALL_HOURS, Unit.WORKING_HOURS
DAYS, ROLLED, WORKING = Unit.CALENDAR_DAYS, Unit.CALENDAR_DAYS_ROLLED, Unit.WORKING_DAYS


def test_the_founding_edition_is_released_and_unchanged() -> None:
    assert "2022-10" not in load.check_released(FOLDER)


def test_the_city_and_its_letters_and_its_clock() -> None:
    assert (FOUNDING.edition, FOUNDING.city, FOUNDING.name) == ("2022-10", "fuxin", "阜新市")
    assert (FOUNDING.letters, FOUNDING.active_from) == ("FX", date(2022, 10, 1))
    assert FOUNDING.clock.zone.key == "Asia/Shanghai"
    assert FOUNDING.clock.hours == ((time(8, 30), time(12)), (time(13), time(17)))
    assert FOUNDING.clock.day_end is None


@pytest.mark.parametrize(
    ("kind", "urgency", "length", "unit", "starts"),
    [
        ("dispatch", "ordinary", 2, MINUTES, "received"),
        ("dispatch", "critical", 2, MINUTES, "received"),
        ("accept", "ordinary", 1, WORKING, "received"),
        ("accept", "urgent", 24, HOURS, "received"),
        ("accept", "critical", 15, MINUTES, "received"),
        ("assign", "ordinary", 1, WORKING, "accepted"),
        ("assign", "urgent", 24, HOURS, "accepted"),
        ("assign", "critical", 15, MINUTES, "accepted"),
        ("sign", "ordinary", 4, OFFICE_HOURS, "assigned"),
        ("sign", "urgent", 4, HOURS, "assigned"),
        ("sign", "critical", 15, MINUTES, "assigned"),
        ("on_site", "critical", 2, HOURS, "received"),
        ("first_response", "ordinary", 1, WORKING, "assigned"),
        ("first_response", "urgent", 24, HOURS, "received"),
        ("interim_reply", "ordinary", 7, WORKING, "assigned"),
        ("finish", "ordinary", 7, WORKING, "assigned"),
        ("finish", "urgent", 7 * 24, HOURS, "assigned"),
        ("finish", "critical", 24, HOURS, "assigned"),
        ("review", "ordinary", 1, WORKING, "finished"),
        ("progress_visit", "ordinary", 24, HOURS, "assigned"),
        ("satisfaction_visit", "ordinary", 2, ROLLED, "reviewed"),
        ("hard_visit", "ordinary", 7, ROLLED, "hard"),
        ("redo", "ordinary", 3, WORKING, "returned"),
        ("supervision_reply", "ordinary", 1, WORKING, "supervised"),
        ("info", "ordinary", 3, WORKING, "asked"),
        ("archive", "ordinary", 30, DAYS, "closed"),
        ("objection_ruling", "ordinary", 1, WORKING, "objected"),
        ("extension_ruling", "ordinary", 1, WORKING, "applied"),
        ("sheet", "ordinary", 2, WORKING, "assigned"),
        ("on_account_review", "ordinary", 30, ROLLED, "on_account"),
    ],
)
def test_each_duty_has_its_length_unit_and_start(kind: str, urgency: str, length: int, unit: Unit, starts: str) -> None:
    term = FOUNDING.term(kind, urgency)

    assert (term.kind, term.length, term.unit, term.starts) == (kind, length, unit, starts)


@pytest.mark.parametrize("kind", [kind for kind in DUTY_KINDS if kind != "on_site"])
@pytest.mark.parametrize("urgency", URGENCIES)
def test_every_duty_is_promised_for_every_urgency(kind: str, urgency: str) -> None:
    assert FOUNDING.term(kind, urgency).length > 0


@pytest.mark.parametrize("urgency", ["urgent", "ordinary"])
def test_only_critical_matters_are_promised_on_site(urgency: str) -> None:
    with pytest.raises(ValueError, match=f"no 'on_site' for {urgency}"):
        FOUNDING.term("on_site", urgency)


def test_an_unknown_urgency_or_duty_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no urgency; allowed: critical, urgent, ordinary"):
        FOUNDING.term("accept", "特急")
    with pytest.raises(ValueError, match="promises no 'answer'"):
        FOUNDING.term("answer")


def test_a_pressing_term_of_its_own_runs_through_nights_and_holidays() -> None:
    pressing = [term for name, term in FOUNDING.terms.items() if name.endswith((".critical", ".urgent"))]

    assert pressing
    assert {term.unit for term in pressing} <= {MINUTES, HOURS}


def test_every_section_and_every_term_names_its_source() -> None:
    sections = [getattr(FOUNDING, field.name) for field in fields(Charter)]
    described = [section for section in sections if is_dataclass(section) and hasattr(section, "source")]

    assert len(described) >= 24
    assert all(section.source.strip() for section in described)
    assert all(term.source.strip() for term in FOUNDING.terms.values())
    assert all(contact.source.strip() for contact in FOUNDING.contacts)


# --- finishing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("urgency", "days", "length", "unit"),
    [
        ("ordinary", 0, 24, HOURS),
        ("ordinary", 1, 1, WORKING),
        ("ordinary", 2, 2, WORKING),
        ("ordinary", 3, 3, WORKING),
        ("ordinary", 5, 5, WORKING),
        ("ordinary", 7, 7, WORKING),
        ("ordinary", 15, 7, WORKING),
        ("urgent", 0, 24, HOURS),
        ("urgent", 1, 24, HOURS),
        ("urgent", 2, 48, HOURS),
        ("urgent", 3, 72, HOURS),
        ("urgent", 5, 120, HOURS),
        ("urgent", 7, 168, HOURS),
        ("urgent", 15, 168, HOURS),
        ("critical", 0, 24, HOURS),
        ("critical", 1, 24, HOURS),
        ("critical", 2, 24, HOURS),
        ("critical", 3, 24, HOURS),
        ("critical", 5, 24, HOURS),
        ("critical", 7, 24, HOURS),
        ("critical", 15, 24, HOURS),
    ],
)
def test_finishing_takes_the_shorter_of_city_and_category(urgency: str, days: int, length: int, unit: Unit) -> None:
    term = FOUNDING.finish(urgency=urgency, category="A01", category_days=days)

    assert term == FinishTerm(length=length, unit=unit, statutory=None, interim=None)


@pytest.mark.parametrize(
    ("category", "days", "length", "unit", "law"),
    [
        ("S09", 7, 60, DAYS, "《信访工作条例》第三十四条"),
        ("S08", 5, 60, DAYS, "《中华人民共和国行政复议法》第六十二条"),
        ("H06", 7, 45, DAYS, "《中华人民共和国劳动争议调解仲裁法》第四十三条"),
        ("T06", 15, 15, WORKING, "《信访工作条例》第二十九条"),
    ],
)
def test_a_longer_term_of_law_is_told_with_its_article_and_owes_an_interim_reply(
    category: str, days: int, length: int, unit: Unit, law: str
) -> None:
    term = FOUNDING.finish(urgency="ordinary", category=category, category_days=days)

    assert (term.length, term.unit) == (length, unit)
    assert term.statutory is not None and term.statutory.law.startswith(law)
    assert term.interim is not None
    assert (term.interim.kind, term.interim.length, term.interim.unit) == ("interim_reply", 7, WORKING)


@pytest.mark.parametrize(
    ("urgency", "days", "interim_hours"), [("urgent", 7, 168), ("critical", 7, 24), ("urgent", 0, 24)]
)
def test_the_interim_reply_of_a_pressing_matter_runs_around_the_clock(
    urgency: str, days: int, interim_hours: int
) -> None:
    term = FOUNDING.finish(urgency=urgency, category="S09", category_days=days)

    assert (term.length, term.unit) == (60, DAYS)
    assert term.interim is not None
    assert (term.interim.length, term.interim.unit) == (interim_hours, HOURS)


def with_law(length: int, unit: Unit) -> Charter:
    statutory = MappingProxyType({"A01": Statutory(length=length, unit=unit, law="《某法》第一条")})
    values = {field.name: getattr(FOUNDING, field.name) for field in fields(Charter)}
    return Charter(**{**values, "statutory": statutory})


def test_a_shorter_term_of_law_is_kept_and_owes_nothing_in_between() -> None:
    term = with_law(3, WORKING).finish(urgency="ordinary", category="A01", category_days=7)

    assert (term.length, term.unit, term.interim) == (3, WORKING, None)
    assert term.statutory is not None


def test_an_equal_term_of_law_is_shown_and_changes_nothing() -> None:
    term = with_law(7, WORKING).finish(urgency="ordinary", category="A01", category_days=7)

    assert (term.length, term.unit, term.interim) == (7, WORKING, None)
    assert term.statutory is not None


def test_a_category_cannot_have_negative_days() -> None:
    with pytest.raises(ValueError, match="-1 days"):
        FOUNDING.finish(urgency="ordinary", category="A01", category_days=-1)


# --- the rest of the rules -------------------------------------------------------------------------------------------


def test_a_missed_duty_climbs_the_ladder() -> None:
    assert FOUNDING.ladder == (
        Rung(level=0, after=0, unit=WORKING, by="handler_and_head"),
        Rung(level=3, after=1, unit=WORKING, by="county_centre", card="yellow"),
        Rung(level=2, after=2, unit=WORKING, by="city_centre"),
        Rung(level=1, after=4, unit=WORKING, by="chief_clerk", card="red"),
    )
    assert FOUNDING.supervision.by_ruling == ("talk", "listing", "circular")


def test_the_holder_is_reminded_at_three_quarters_and_at_night_only_of_critical_matters() -> None:
    assert FOUNDING.reminder_share == 0.75
    assert FOUNDING.reminder.any_hour_for == ("critical",)


def test_the_system_post_accepts_and_assigns_ordinary_matters_and_never_declines() -> None:
    assert FOUNDING.automatic.accept_and_assign == ("ordinary", "urgent", "critical")
    assert FOUNDING.automatic.decline is False
    assert 0 < FOUNDING.automatic.confidence_from <= 1
    assert (FOUNDING.desk.in_hours, FOUNDING.desk.out_of_hours) == ("dispatcher", "duty")
    assert FOUNDING.desk.out_of_hours_office == "city_centre"
    assert FOUNDING.assigning.told == ("leader_in_charge",)
    assert FOUNDING.joining.promise == "earliest"


def test_asking_for_more_waits_three_working_days_with_three_reminders_and_never_for_critical_matters() -> None:
    assert (FOUNDING.term("info").length, FOUNDING.term("info").unit) == (3, WORKING)
    assert FOUNDING.need_info.reminders == 3
    assert FOUNDING.need_info.after_silence == "taken_as_it_stands"
    assert FOUNDING.need_info.never_for == ("critical",)


def test_objection_extension_and_on_account_have_their_limits() -> None:
    assert FOUNDING.objection.within == Span(2, WORKING)
    assert FOUNDING.objection.consultation_from == 2
    assert FOUNDING.objection.designated_may_object is False
    assert FOUNDING.extension.times == 1
    assert FOUNDING.extension.at_most == Span(10, WORKING)
    assert FOUNDING.extension.centre_up_to == Span(3, WORKING)
    assert FOUNDING.extension.beyond == "chief_clerk_delegate"
    assert FOUNDING.extension.before_due and FOUNDING.extension.interim_reply
    assert (FOUNDING.on_account.signatures, FOUNDING.on_account.planned_within_months) == (2, 12)
    assert FOUNDING.on_account.interim_reply and FOUNDING.on_account.public_list


def test_visits_try_three_times_on_different_days_and_hours_and_never_by_the_handling_office() -> None:
    visits = FOUNDING.visits

    assert (visits.attempts, visits.different_days, visits.different_hours) == (3, True, True)
    assert visits.rating_open_days == 7
    assert visits.by_handling_office is False


def test_the_three_checks_are_text_of_the_charter_and_say_that_the_city_decides() -> None:
    assert "三查" in FOUNDING.visits.three_checks and "由市里确定" in FOUNDING.visits.three_checks
    assert "the city decides" in FOUNDING.visits.three_checks_en


def test_there_is_never_a_third_silent_redo() -> None:
    assert FOUNDING.redo.at_most == 2
    assert FOUNDING.redo.then_consultation
    assert FOUNDING.redo.then_supervision_level == 2
    assert 0 < FOUNDING.redo.dissatisfied_share <= 1


def test_what_makes_a_matter_hard_or_a_group_matter() -> None:
    hard = FOUNDING.hard

    assert (hard.redo_count, hard.objection_count, hard.office_count) == (2, 2, 3)
    assert hard.extension_over == Span(7, WORKING)
    assert (hard.history_over_months, hard.by_ruling) == (12, True)
    assert (FOUNDING.group.people_from, FOUNDING.group.representatives) == (5, 5)


def test_the_sheet_lists_every_case_and_delays_none() -> None:
    assert FOUNDING.sheet.lists == "every_assigned_case"
    assert FOUNDING.sheet.instruction_for == ("hard", "group", "second_redo", "level_1", "chosen")
    assert FOUNDING.sheet.delays_assigning is False
    assert FOUNDING.sheet.handwritten_mark == "代录"


def test_small_grants_go_directly_up_to_ten_thousand_yuan_with_two_signatures() -> None:
    grants = FOUNDING.grants

    assert (grants.direct_up_to_fen, grants.signatures) == (10_000 * 100, 2)
    assert grants.splitting_within == Span(90, DAYS)
    assert grants.splitting_by == ("matter", "place", "payee")
    assert grants.yearly_budget_per == "county"


def test_the_score_weights_add_up_and_count_nothing_half() -> None:
    scores = FOUNDING.scores

    assert (scores.response, scores.solved, scores.satisfied) == (30, 35, 35)
    assert (scores.closed_means, scores.partly_solved, scores.invited) == ("review_passed", 0.0, 1.0)


def test_numbers_texts_uploads_and_rates_have_their_limits() -> None:
    assert (FOUNDING.number.serial_digits, FOUNDING.number.query_code_bits) == (4, 128)
    assert FOUNDING.text.characters == 10_000
    assert FOUNDING.uploads.staged == Span(24, HOURS)
    assert {"image/jpeg", "audio/amr", "video/mp4", "application/pdf"} <= set(FOUNDING.uploads.kinds)
    assert FOUNDING.uploads.count >= 1 and FOUNDING.uploads.pixels >= 12_000_000
    assert FOUNDING.rates.urge_per_appeal == Rate(1, 1, "calendar_days")
    assert FOUNDING.rates.phone_tail_per_number == Rate(5, 1, "calendar_days")
    assert FOUNDING.rates.appeal_per_address.limit > 0 and FOUNDING.rates.appeal_per_person.limit > 0
    assert (FOUNDING.quiet.begins, FOUNDING.quiet.ends) == (time(21), time(8))


def test_numbers_of_an_older_page_are_marked_as_possibly_outdated() -> None:
    hotline, police = FOUNDING.contact("hotline"), FOUNDING.contact("police")

    assert (hotline.number, hotline.confirmed) == ("0418-8212345", False)
    assert "outdated" in hotline.source
    assert (police.number, police.confirmed) == ("110", True)


def test_a_contact_the_city_has_not_named_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no contact of kind 'fax'"):
        FOUNDING.contact("fax")


def test_a_discipline_reporter_is_shown_the_lawful_route_and_what_was_not_kept() -> None:
    route = FOUNDING.lawful_route

    assert route.phone == "12388" and "12388" in route.sentence and "12388" in route.sentence_en
    assert "没有保存" in route.not_stored and "Nothing you entered was kept" in route.not_stored_en
    assert "\n" not in route.sentence + route.sentence_en + route.not_stored + route.not_stored_en


# --- in force --------------------------------------------------------------------------------------------------------


def test_the_edition_in_force_is_asked_by_day() -> None:
    assert CHARTERS.at(date(2022, 10, 1)) is FOUNDING
    assert CHARTERS.edition("2022-10") is FOUNDING


def test_no_edition_is_in_force_before_the_first_one() -> None:
    with pytest.raises(NoEdition) as refused:
        CHARTERS.at(date(2022, 9, 30))

    assert (refused.value.code, refused.value.params) == ("no_edition", {"asked": "2022-09-30"})


def test_an_edition_that_never_was_is_refused_by_name() -> None:
    with pytest.raises(NoEdition):
        CHARTERS.edition("2020-01")


def test_an_instant_is_judged_by_the_clock_of_the_city_not_by_that_of_utc() -> None:
    just_begun = datetime(2022, 9, 30, 16, 0, tzinfo=UTC)
    just_before = datetime(2022, 9, 30, 15, 59, 59, tzinfo=UTC)

    assert CHARTERS.in_force(just_begun) is FOUNDING
    with pytest.raises(NoEdition):
        CHARTERS.in_force(just_before)


def test_an_instant_is_no_day_and_a_naive_time_is_no_instant() -> None:
    with pytest.raises(TypeError, match="in_force"):
        CHARTERS.at(datetime(2024, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="zone"):
        CHARTERS.in_force(datetime(2024, 1, 1))


def test_a_charter_cannot_be_changed_by_the_program_that_reads_it() -> None:
    with pytest.raises(FrozenInstanceError):
        FOUNDING.letters = "XX"  # type: ignore[misc]
    with pytest.raises(TypeError):
        FOUNDING.terms["accept"] = FOUNDING.term("finish")  # type: ignore[index]
    assert isinstance(CHARTERS, Charters)

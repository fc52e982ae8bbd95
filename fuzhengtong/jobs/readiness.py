"""Say what a city still lacks before it can take tellings and keep what it promises, each with what mends it.

Called by `jobs.doctor`. It looks and says, Chinese first; it changes nothing. What is sound is said as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import world
from fuzhengtong.directory.names import AreaKind
from fuzhengtong.directory.rules import ADMIN_POSTS, OfficeKind, PostKind
from fuzhengtong.intake import queries as intake_queries
from fuzhengtong.jobs.findings import select

# Who asks for next year's days off earlier than this asks in vain: they are announced in November.
ASKED_FROM = (11, 1)
# More codes than a person reads in a line are counted, not named.
NAMED = 5
_POSTS, _CALENDAR = "fuzhengtong import-reference posts", "fuzhengtong import-calendar"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what is said of it."""

    sound: bool
    said: str


def _codes(codes: Sequence[str]) -> tuple[str, str]:
    """Name some codes and count the others, in Chinese and in English."""
    shown = codes[:NAMED]
    more = (f" 等 {len(codes)} 个", f" and {len(codes) - NAMED} more") if len(codes) > NAMED else ("", "")
    return "、".join(shown) + more[0], ", ".join(shown) + more[1]


# --- what the city is ------------------------------------------------------------------------------------------------


def city(at: datetime) -> Iterator[Finding]:
    """Look whether the city is founded, and what its founding still waits for."""
    if not intake_queries.channels() or not directory_queries.categories(at=at):
        said = "没有渠道或没有类别，请运行 fuzhengtong init。"
        yield Finding(False, f"{said} / Channels or categories are missing: run fuzhengtong init.")
    if not directory_queries.areas_of_kind(AreaKind.CITY, at=at):
        said = "还没有市的区域，请运行 fuzhengtong import-areas 文件 --apply。"
        yield Finding(False, f"{said} / The city has no areas: run fuzhengtong import-areas FILE --apply.")
    if not directory_queries.offices(at=at, kind=OfficeKind.CENTRE, limit=1):
        said = "还没有中心，请运行 fuzhengtong import-reference offices 文件 --apply。"
        yield Finding(False, f"{said} / There is no centre: run fuzhengtong import-reference offices FILE --apply.")
    standing = directory_queries.city()
    if standing is None or standing.area_id is None or standing.desk_office_id is None:
        said = "还没有建市，收不了诉求。导入区域、单位和岗位后，请运行 fuzhengtong found --desk 中心代码。"
        english = "No city is founded, no telling is taken: after the imports run fuzhengtong found --desk CODE."
        yield Finding(False, f"{said} / {english}")
        return
    charter = world.charters().in_force(at)
    facts = f"{standing.code} {standing.letters}"
    if (charter.city, charter.letters) != (standing.code, standing.letters):
        other = f"{charter.city} {charter.letters}"
        said = f"数据库属于 {facts}，生效的制度却是 {other} 的。请核对 FUZHENGTONG_CHARTERS。"
        yield Finding(False, f"{said} / The database is of {facts}, the charter of {other}: see FUZHENGTONG_CHARTERS.")
    else:
        yield Finding(True, f"已建市：{standing.name}（{facts}）。 / The city is founded: {facts}.")


# --- who does the work -----------------------------------------------------------------------------------------------

_ROUTED = """
SELECT r.office_id, o.code, count(*) FROM directory_route r JOIN directory_office o ON o.id = r.office_id
WHERE r.active_from <= %s AND (r.active_to IS NULL OR r.active_to > %s)
GROUP BY r.office_id, o.code ORDER BY o.code
"""


def routes(at: datetime) -> Iterator[Finding]:
    """Look whether tellings find their office by rule, and somebody in it."""
    rows = select(_ROUTED, (at, at))
    if not rows:
        said = "还没有责任清单，每件都要人工分拨。请运行 fuzhengtong import-reference routes 文件 --apply。"
        english = "No routes: everything is dispatched by hand. Run fuzhengtong import-reference routes FILE --apply."
        yield Finding(False, f"{said} / {english}")
        return
    asked = {code: (office_id, str(PostKind.HANDLER)) for office_id, code, _ in rows}
    who = directory_queries.who_answers_many(asked.values(), at=at)
    # Only a superior answers: nobody in the office itself.
    empty = [code for code, pair in asked.items() if all(one.how == "superior" for one in who[pair])]
    if empty:
        names, english = _codes(empty)
        said = f"责任清单通到的这些单位没有人承办：{names}。请运行 {_POSTS} 文件 --apply。"
        yield Finding(False, f"{said} / Nobody works where routes lead to ({english}): run {_POSTS} FILE --apply.")
    else:
        total = sum(count for _, _, count in rows)
        said = f"责任清单 {total} 条，通到 {len(rows)} 个单位，都有人承办。"
        yield Finding(True, f"{said} / {total} routes lead to {len(rows)} offices, all with somebody in them.")


def dispatchers(at: datetime) -> Iterator[Finding]:
    """Look whether every centre has somebody at its dispatch desk, for what the machine is unsure of."""
    centres = directory_queries.offices(at=at, kind=OfficeKind.CENTRE)
    posts = {row.code: directory_queries.posts_in(row.office_id, at=at) for row in centres}
    empty = [code for code, rows in posts.items() if PostKind.DISPATCHER not in _held(rows)]
    if empty:
        names, english = _codes(empty)
        said = f"这些中心的分拨岗没有人：{names}。请运行 {_POSTS} 文件 --apply，或在“人员和岗位”页安排。"
        yield Finding(False, f"{said} / Nobody dispatches at {english}: run {_POSTS} FILE --apply, or see People.")
    elif centres:
        said = f"{len(centres)} 个中心的分拨岗都有人。"
        yield Finding(True, f"{said} / All {len(centres)} centres have somebody to dispatch.")


def _held(posts: Sequence[directory_queries.PostRow]) -> set[str]:
    return {row.kind for row in posts if row.holder or row.deputies}


_CANNOT_SIGN_IN = """
SELECT count(DISTINCT p.id) FROM accounts_principal p JOIN directory_tenure t ON t.principal_id = p.id
WHERE p.password = '' AND p.disabled_at IS NULL AND t.active_from <= %s AND (t.active_to IS NULL OR t.active_to > %s)
"""


def people(at: datetime) -> Iterator[Finding]:
    """Look whether somebody can let the others in: the administrators of the desk, and passwords."""
    standing = directory_queries.city()
    if standing is None or standing.desk_office_id is None:
        return
    missing = sorted(ADMIN_POSTS - _held(directory_queries.posts_in(standing.desk_office_id, at=at)))
    for kind in missing:
        said = f"还没有 {kind}：先用 {_POSTS} 设岗，再运行 fuzhengtong createadmin 账号 --name 姓名 --post {kind}。"
        english = f"Nobody is {kind}: with the post there, run fuzhengtong createadmin LOGIN --name NAME --post {kind}."
        yield Finding(False, f"{said} / {english}")
    if not missing:
        yield Finding(True, "三个管理员岗都有人。 / All three administrators are there.")
    ((waiting,),) = select(_CANNOT_SIGN_IN, (at, at))
    if waiting:
        said = f"提醒：在岗的人里有 {waiting} 个还没有密码，登录不了。请安全管理员在“人员和岗位”页设置。"
        english = f"Note: {waiting} holders of posts have no password; the security administrator sets it in People."
        yield Finding(True, f"{said} / {english}")


# --- when it works ---------------------------------------------------------------------------------------------------


def calendar(at: datetime) -> Iterator[Finding]:
    """Look whether the days off of this year, and late in the year of the next, are known."""
    known = directory_queries.calendar()
    today = at.astimezone(world.charters().in_force(at).clock.zone).date()
    if known.is_announced(today.year):
        yield Finding(True, f"{today.year} 年放假安排已导入。 / The days off of {today.year} are known.")
    else:
        said = f"没有 {today.year} 年的放假安排，期限都是暂定的。请运行 {_CALENDAR} 文件 --apply。"
        yield Finding(False, f"{said} / The days off of {today.year} are missing: run {_CALENDAR} FILE --apply.")
    following = today.year + 1
    if known.is_announced(following):
        yield Finding(True, f"{following} 年放假安排已导入。 / The days off of {following} are known.")
    elif (today.month, today.day) >= ASKED_FROM:
        said = f"{following} 年放假安排还没有导入，跨年的期限标为暂定；公布后请运行 {_CALENDAR} 文件 --apply。"
        english = f"{following} is not imported, terms beyond the year are provisional; once announced, run {_CALENDAR}"
        yield Finding(True, f"{said} / {english} FILE --apply.")

"""A few made cases in nearly every state, walked by the real steps on past days, for the first look at a demo.

Everything is invented: texts, people, numbers. Called by `init --demo` in a city that has no case yet; it takes the
same doors and the same steps as the city at work, only with moments of the days before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.conf import settings

from fuzhengtong.cases import actions as cases_actions
from fuzhengtong.cases import queries as cases_queries
from fuzhengtong.cases import steps
from fuzhengtong.cases.states import Satisfaction, Solved, State, VisitResult
from fuzhengtong.chain import followers
from fuzhengtong.charter.moment import SYSTEM, Actor, Moment
from fuzhengtong.connectors.store import Folder
from fuzhengtong.directory import queries as directory_queries
from fuzhengtong.directory import world
from fuzhengtong.dispatch import actions as dispatch_actions
from fuzhengtong.intake import actions as intake_actions
from fuzhengtong.intake import rules as intake_rules
from fuzhengtong.oversight import actions as oversight_actions
from fuzhengtong.visits import actions as visits_actions


@dataclass(frozen=True)
class Play:
    """One made case: what is told, when, and how far it has come."""

    text: str
    days_ago: float
    until: str
    category: str
    area: str
    office: str
    reply: str = ""
    name: str = "示例居民"
    phone: str = "13800000001"
    confidential: bool = False
    anonymous: bool = False


PLAYS: tuple[Play, ...] = (
    Play("海州区和平街道益民社区的路灯不亮了", 6.0, "closed", "E03", "210902003001", "210902-zjj",
         "益民社区楼前三盏路灯的灯头已全部更换，当晚恢复照明。", "示例王", "13800000001"),
    Play("和平街道光明社区的下水道堵了，污水冒到楼道里", 4.0, "visiting", "B03", "210902003006", "210902003",
         "堵点在三号楼前检查井，已疏通并清掏，楼道已冲洗消毒。", "示例李", "13800000002"),
    Play("和平街道大众社区门口的垃圾桶好几天没人清，味道很大", 3.0, "review", "F01", "210902003007", "210902003",
         "已增加每日清运一次，桶身已清洗。", "示例张", "13800000003"),
    Play("和平街道建设社区路面有个大坑，骑车容易摔", 5.0, "redo", "E01", "210902003009", "210902-zjj",
         "坑洞已用冷补料填平。", "示例赵", "13800000004"),
    Play("和平街道益民社区的健身器材坏了一个，孩子容易磕着", 2.0, "working", "B09", "210902003001", "210902003",
         name="示例钱", phone="13800000005"),
    Play("彰武县冯家镇得力村的路灯坏了两盏", 0.3, "assigned", "E03", "210922104207", "210922-zjj",
         name="示例孙", phone="13800000006"),
    Play("新邱村的自来水这两天发黄", 0.002, "desk", "", "", "", name="示例周", phone="13800000007"),
    Play("我想问一下，老年证在哪儿办，需要带什么材料", 0.001, "desk", "", "", "", name="示例吴", phone="13800000008"),
    Play("小区里有人占着消防通道停车，说了也不听", 1.0, "need_info", "", "", "", name="示例郑", phone="13800000009"),
    Play("和平街道光明社区二号楼电梯一直异响，老人不敢坐", 12.0, "working", "B04", "210902003006", "210902003",
         name="示例冯", phone="13800000010"),
    Play("和平街道大众社区夜里烧烤摊太吵，睡不着觉", 2.5, "withdrawn", "F03", "210902003007", "210902003",
         name="示例陈", phone="13800000011"),
    Play("和平街道建设社区楼道里有人拉线给电瓶车充电，害怕着火", 1.2, "assigned", "B05", "210902003009", "210902003",
         confidential=True, name="示例褚", phone="13800000012"),
    # Closed long enough ago to be archived by the ticker's first turn.
    Play("和平街道光明社区单元门的闭门器坏了，门关不严", 45.0, "closed", "B09", "210902003006", "210902003",
         "闭门器已更换，门能自己关严。", "示例卫", "13800000013"),
)  # fmt: skip


def few() -> int:
    """Make the cases of PLAYS in a city that has none; return how many were made."""
    kept = world.World(clock=lambda: datetime.now(UTC))
    now = kept.moment(by=SYSTEM)
    if cases_queries.any_case():
        return 0
    for play in PLAYS:
        _play(play, lambda: kept.moment(by=SYSTEM), now)
    # What fell due on those past days is reminded of and supervised at once, as if the ticker had been there.
    while oversight_actions.tick(moment=kept.moment(by=SYSTEM)).steps:
        pass
    return len(PLAYS)


class _Case:
    """One made case on its way: each step an hour or so after the one before, never after now."""

    def __init__(self, play: Play, fresh: Callable[[], Moment], now: Moment) -> None:
        self.play, self.fresh, self.now = play, fresh, now.at
        self.at = now.at - timedelta(days=play.days_ago)
        told = intake_actions.submit(
            submission=intake_rules.Submission(
                channel="h5",
                text=play.text,
                reporter=intake_rules.Person(name=play.name, phone=play.phone),
                confidential=play.confidential,
                consent="privacy-1",
            ),
            moment=self.moment(Actor(kind="resident")),
            store=Folder(settings.STORE),
            client="seed",
        )
        self.entry_id = int(told.answer.entry_id)
        self.appeal_id = int(told.answer.appeal_id)
        self.case_id = cases_queries.case_id_of(told.answer.number) or 0

    def moment(self, by: Actor) -> Moment:
        return replace(self.fresh(), at=self.at, by=by)

    def wait(self, minutes: float) -> None:
        self.at = min(self.at + timedelta(minutes=minutes), self.now)

    def row(self) -> cases_queries.states.CaseRow:
        return cases_queries.snapshot_of(self.case_id).known

    def by(self, kind: str, office_id: int) -> Moment:
        found = directory_queries.who_answers(office_id=office_id, post_kind=kind, at=self.at)[0]
        actor = directory_queries.actor_of(
            principal_id=found.principal_id, post_id=found.post_id, began=self.now, at=self.at
        )
        if actor is None:
            raise LookupError(kind)
        return self.moment(actor)

    def take(self, step: steps.Step, by: Moment, **facts: object) -> None:
        cases_actions.take(case_id=self.case_id, step=step, moment=by, **facts)  # type: ignore[arg-type]


def _play(play: Play, fresh: Callable[[], Moment], now: Moment) -> None:
    case = _Case(play, fresh, now)
    case.wait(0.1)
    followers.run("dispatch", moment=case.moment(SYSTEM), entry_ids=[case.entry_id])
    if play.until == "need_info":
        case.wait(20)
        by = case.by("dispatcher", case.row().desk_id)
        case.take(steps.ASK_INFO, by, texts={"question": "请问是哪个小区、几号楼？方便的话说一下车牌尾号。"})
    if play.until in ("desk", "need_info"):
        return
    _assign(case)
    order = ("assigned", "working", "withdrawn", "review", "visiting", "closed")
    reach = order.index("visiting" if play.until == "redo" else play.until)
    walks = (_sign, _withdraw if play.until == "withdrawn" else _nothing, _finish, _review, _visit_happy)
    for walk in walks[: reach if play.until != "withdrawn" else 2]:
        walk(case)
    if play.until == "redo":
        _visit(case, Solved.NO, Satisfaction.NOT, "填的料两天就碎了，还是个坑。")


def _assign(case: _Case) -> None:
    if case.row().state == State.ASSIGNED:
        return
    case.wait(3)
    category = directory_queries.category(code=case.play.category)
    area = directory_queries.area_by_code(case.play.area)
    office = directory_queries.office_by_code(case.play.office)
    if category is None or area is None or office is None:
        raise LookupError(case.play.text)
    dispatch_actions.confirm(
        case_id=case.case_id,
        category_id=category.category_id,
        area_id=area.area_id,
        urgency=category.urgency,
        office_id=office.office_id,
        moment=case.by("dispatcher", case.row().desk_id),
    )


def _handler(case: _Case) -> Moment:
    return case.by("handler", case.row().office_id or 0)


def _sign(case: _Case) -> None:
    case.wait(40)
    assignment = cases_queries.snapshot_of(case.case_id).assignments[0]
    case.take(steps.SIGN, _handler(case), assignment_id=assignment.id)
    case.wait(60)
    note = {"note": "电话说好今天到现场看。"}
    case.take(steps.CONTACT, _handler(case), texts=note, contacted_at=case.at, how="phone", reached=True)


def _nothing(case: _Case) -> None:
    case.wait(1)


def _withdraw(case: _Case) -> None:
    case.wait(120)
    teller = case.moment(Actor(kind="resident", appeal_id=case.appeal_id))
    case.take(steps.WITHDRAW, teller, texts={"reason": "摊主自己挪走了，不用管了。"}, appeal_id=case.appeal_id)


def _finish(case: _Case) -> None:
    case.wait(24 * 60)
    texts = {"result": "到场处理完毕，已拍照留存。", "reply": case.play.reply}
    case.take(steps.FINISH, _handler(case), texts=texts)


def _review(case: _Case) -> None:
    case.wait(90)
    case.take(steps.REVIEW, case.by("reviewer", case.row().desk_id))


def _visit_happy(case: _Case) -> None:
    _visit(case, Solved.YES, Satisfaction.SATISFIED, "修得挺快，谢谢。")


def _visit(case: _Case, solved: Solved, satisfaction: Satisfaction, words: str) -> None:
    case.wait(180)
    visits_actions.visit(
        case_id=case.case_id,
        appeal_id=case.appeal_id,
        moment=case.by("visitor", case.row().desk_id),
        result=VisitResult.REACHED,
        how="phone",
        contacted=True,
        solved=solved,
        satisfaction=satisfaction,
        account_true=solved == Solved.YES,
        words=words,
    )

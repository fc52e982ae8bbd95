"""The names of columns in lists of tellings: what boards, hotlines and petition offices call the same thing.

A table and how a name is folded before it is looked up; read by `columns` alone. Names that could be two things are not
in it: an operator says which (`--map`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final


def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.split())


# Field → the names under which it comes. A running number (序号, No.) is no id: every export begins it at one.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": _names(
        "编号 工单号 工单编号 工单流水号 流水号 留言编号 诉求编号 受理编号 受理单号 信访件编号 信访编号 登记编号 "
        "来件编号 案件编号 事项编号 业务编号 单号 id ticketid ticketnumber caseid casenumber referenceid "
        "sourceref servicerequestid"
    ),
    "title": _names("主题 标题 留言主题 留言标题 诉求标题 诉求主题 工单标题 事项标题 信访标题 title subject topic"),
    "text": _names(
        "内容 详情 正文 描述 诉求 留言详情 留言内容 诉求内容 诉求详情 诉求描述 问题描述 工单内容 反映内容 "
        "反映问题 来信内容 来电内容 信访内容 投诉内容 事项内容 text content description details detail body "
        "message complaint"
    ),
    "created": _names(
        "时间 日期 留言时间 留言日期 诉求时间 诉求日期 反映时间 来电时间 来信时间 登记时间 登记日期 提交时间 "
        "创建时间 工单时间 投诉时间 信访日期 created createdat createdtime createtime datecreated "
        "requesteddatetime submittedat receivedat date time datetime timestamp toldat"
    ),
    "name": _names(
        "姓名 留言用户 留言人 反映人 诉求人 来电人 来信人 信访人 投诉人 联系人 诉求人姓名 反映人姓名 来电人姓名 "
        "信访人姓名 联系人姓名 市民姓名 网友 用户 name reporter reportername contactname caller username user"
    ),
    "phone": _names(
        "电话 手机 手机号 手机号码 电话号码 联系电话 联系方式 来电号码 主叫号码 反映人电话 诉求人电话 信访人电话 "
        "phone phonenumber mobile tel telephone contactphone"
    ),
    "principal_name": _names("委托人 委托人姓名 被代办人 被代办人姓名 principalname"),
    "principal_phone": _names("委托人电话 被代办人电话 principalphone"),
    "address": _names(
        "地址 地点 位置 详细地址 事发地址 事发地点 发生地址 发生地点 诉求地址 诉求地点 事件地址 事件地点 问题地址 "
        "问题地点 反映地址 反映地点 address addressstring location place"
    ),
    "lng": _names("经度 lng lon long longitude"),
    "lat": _names("纬度 lat latitude"),
    "datum": _names("坐标系 坐标系统 坐标类型 datum crs"),
    "channel": _names("渠道 诉求渠道 来源渠道 受理渠道 来电渠道 诉求来源 工单来源 channel"),
    "confidential": _names("保密 是否保密 要求保密 confidential"),
    "anonymous": _names("匿名 是否匿名 anonymous"),
    "category": _names("类别 分类 诉求类别 诉求分类 问题类别 问题分类 事项类别 事项分类 工单分类 category servicecode"),
    "closed_at": _names(
        "办结时间 办结日期 结案时间 结案日期 完成时间 办理完成时间 closed closedat finishedat resolvedat"
    ),
    "reply": _names(
        "答复 回复 答复意见 答复内容 回复内容 回复意见 办理结果 处理结果 办结意见 reply response answer resolution"
    ),
    "replied_at": _names("答复时间 答复日期 回复时间 回复日期 repliedat replytime answeredat responsetime"),
    "satisfaction": _names("满意度 满意情况 是否满意 满意度评价 评价 评价结果 satisfaction rating"),
    "solved": _names("是否解决 解决情况 solved resolved"),
    "office": _names(
        "承办单位 办理单位 主办单位 责任单位 处理单位 承办部门 办理部门 答复单位 回复单位 office department"
    ),
}
# What only a closed matter has; a living one gets its own.
OF_THE_PAST: Final = frozenset({"category", "closed_at", "reply", "replied_at", "satisfaction", "solved", "office"})

_ADDED = re.compile(r"[(（\[【][^)）\]】]*[)）\]】]\s*$")
_JOINTS = re.compile(r"[\s_\-:：*.·/\"'“”]+")


def folded(name: str) -> str:
    """Fold a column's name: "联系电话（必填）*" and "Phone_Number" are 联系电话 and phonenumber."""
    plain = unicodedata.normalize("NFKC", name).casefold().strip().rstrip("*")
    return _JOINTS.sub("", _ADDED.sub("", plain))


KNOWN: Final = {folded(name): field for field, names in FIELDS.items() for name in (field, *names)}

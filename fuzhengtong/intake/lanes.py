"""The channels a city begins with (rows, not code): a new lane is one more row, by import or by page.

The five of the founding city are the mini program, the telephone, the centre, the grid worker who files for somebody
(代办) and the grid worker's snapshot (随手拍); the others are there for whoever opens them.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    code: str
    name: str
    name_en: str
    is_public: bool = False
    needs_phone: bool = False
    allows_anonymous: bool = True
    is_proxy: bool = False
    asks_consent: bool = False


FIRST: tuple[Row, ...] = (
    Row("miniprogram", "微信小程序", "WeChat mini program", is_public=True, asks_consent=True),
    Row("h5", "网页", "web page", is_public=True, asks_consent=True),
    Row("phone", "电话", "telephone"),
    Row("voicemail", "语音留言", "voice mail"),
    Row("centre", "现场窗口", "on-site centre"),
    Row("kiosk", "自助机", "kiosk", is_public=True, asks_consent=True),
    Row("proxy", "网格员代办", "filed by a grid worker", is_proxy=True),
    Row("snapshot", "随手拍", "grid worker's snapshot"),
    Row("sms", "短信", "text message", needs_phone=True, allows_anonymous=False),
    Row("email", "邮件", "e-mail"),
    Row("letter", "信件/意见箱", "letter or box"),
    Row("chat_relay", "微信群转录", "relayed from a chat group"),
    Row("poster", "二维码", "QR poster", is_public=True, asks_consent=True),
    Row("open311", "开放接口", "Open311"),
    Row("hotline12345", "12345转入", "from 12345"),
    Row("petition_import", "信访导入", "petition import"),
    Row("history_import", "历史导入", "history import"),
    Row("file_import", "文件导入", "imported from a file"),
    Row("staff", "工作人员代录", "taken down by staff"),
    Row("api", "第三方系统", "another system", is_public=True),
)

"""Whom a newcomer can be in the demo, for the sign-in page and the greeting of `serve`. Everybody is made."""

from __future__ import annotations

# The one password of all made people; shown on the demo's sign-in page, never given in a real city.
DEMO_PASSWORD = "fuxin-demo-2026"  # noqa: S105
# Whom a newcomer can be in the demo: login and what he does there.
TOUR = (
    ("city-centre.dispatcher1", "市中心分拨岗"),
    ("210902-centre.dispatcher1", "海州区中心分拨岗"),
    ("210902-zjj.handler", "海州区住建局承办岗"),
    ("210902003.handler1", "和平街道承办岗"),
    ("210902-centre.reviewer", "海州区中心审核岗"),
    ("210902-centre.visitor1", "海州区中心回访岗"),
    ("210902-centre.supervisor", "海州区中心督办岗"),
    ("city-centre.analyst", "市中心分析岗"),
    ("city-centre.system-admin", "系统管理员"),
    ("city-centre.security-admin", "安全管理员"),
    ("city-centre.audit-admin", "审计管理员"),
)


def demo_lines() -> list[str]:
    """Say who can sign in to the demo; everybody there is made."""
    width = max(len(login) for login, _ in TOUR)
    return [
        f"演示账号（人物都是编的），密码都是 {DEMO_PASSWORD}：",
        *(f"  {login.ljust(width)}  {title}" for login, title in TOUR),
    ]

"""`payment.reply_lost`: the gateway takes the money, and the reply never arrives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.third_party import ThirdPartyFault
from chaos.units import Percent


class PaymentReplyLost(ThirdPartyFault):
    """The charge is made and recorded; the connection breaks before the caller hears of it."""

    word: ClassVar[str] = "payment.reply_lost"
    title: ClassVar[str] = "charges, then breaks the connection before replying"

    percent: Percent = Field(default=100.0, description="The share of requests whose reply is lost.")

    def order(self) -> Mapping[str, Any]:
        return {"mode": "reply_lost", "percent": self.percent}

    def describe(self, service: str) -> str:
        return f"{service} charges, then breaks the connection before replying to {self.percent:g}% of requests"

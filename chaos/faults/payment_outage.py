"""`payment.outage`: the payment gateway refuses connections, hangs, answers with errors, or is slow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.base import Flaw
from chaos.faults.third_party import ThirdPartyFault
from chaos.system import System
from chaos.units import Duration, Percent, duration_text

DELAY_S_MAX = 600.0  # the third party's limit


class PaymentOutage(ThirdPartyFault):
    """The gateway is out, in one of the ways gateways are."""

    word: ClassVar[str] = "payment.outage"
    title: ClassVar[str] = "takes the payment gateway out"

    mode: Literal["refuse", "hang", "error", "slow"] = Field(
        description="refuse: connections are refused; hang: no answer comes; error: 503; slow: answers after `delay`."
    )
    percent: Percent = Field(default=100.0, description="The share of requests that meet it.")
    delay: Duration = Field(default=3.0, description="How long an answer takes in mode slow.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        yield from super().problems(service, system)
        if self.mode == "slow" and not 0 < self.delay <= DELAY_S_MAX:
            what = f"{duration_text(self.delay)} cannot be kept; allowed: more than 0s, at most"
            yield Flaw(("with", "delay"), f"{what} {duration_text(DELAY_S_MAX)}")

    def order(self) -> Mapping[str, Any]:
        return {"mode": self.mode, "percent": self.percent, "delay_ms": self.delay * 1e3}

    def describe(self, service: str) -> str:
        what = {
            "refuse": "refuses connections",
            "hang": "accepts requests and never answers",
            "error": "answers 503",
            "slow": f"answers only after {self.delay:g} s",
        }[self.mode]
        return f"{service} {what}" + ("" if self.percent == 100 else f", to {self.percent:g}% of requests")

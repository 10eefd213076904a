"""The invariants in SQL: for each, the queries that find what breaks it, and what would make it unknown.

Each `breach` returns one text per offender, worded for people: a query with no rows is an invariant kept. `unknown` is
asked when nothing is broken, and returns a sentence where the records cannot prove it either. `subject` counts what the
invariant was tested on; nothing to test is not a success. docs/verdict.md has the definitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chaos.model import Invariant

CHARGED = ("charged", "succeeded", "captured")
NOT_CHARGED = ("declined", "failed", "refused", "voided")
"""What payment ledgers call a charge that took money, and one that did not; any other word is not understood."""

_TOOK_MONEY = "('" + "', '".join(CHARGED) + "')"
_KNOWN_CHARGES = "('" + "', '".join(CHARGED + NOT_CHARGED) + "')"
_STATUSES = "('pending', 'paid', 'cancelled')"


def _amount(cents: str) -> str:
    return f"printf('%.2f', {cents} / 100.0)"


_STATUS_UNKNOWN = f"""
    select n || ' orders have a status that is not understood, such as ' || example
    from (select count(*) as n, min(status) as example from orders where status not in {_STATUSES}) where n > 0"""


@dataclass(frozen=True)
class Rule:
    """One invariant; `kept` says in words what holds where nothing is broken, `subject` how many of what."""

    kept: str
    subject: str
    subject_noun: str
    breach: tuple[str, ...]
    unknown: tuple[str, ...] = ()


_NONE_LOST = Rule(
    kept="every order answered ok exists with its lines and amount",
    subject="select count(*) from asked where result = 'ok'",
    subject_noun="order answered ok",
    breach=(
        """select 'order ' || asked.order_id || ' (key ' || ifnull(asked.key, '?')
                  || ') was answered ok and does not exist'
           from asked left join orders on orders.order_id = asked.order_id
           where asked.result = 'ok' and asked.order_id is not null and orders.order_id is null""",
        """select 'order ' || asked.order_id || ' was answered ok for key ' || ifnull(asked.key, '?') || ' and has key '
                  || ifnull(orders.key, 'none')
           from asked join orders on orders.order_id = asked.order_id
           where asked.result = 'ok' and orders.key is not asked.key""",
        """select 'order ' || asked.order_id || ' was answered ok and is cancelled'
           from asked join orders on orders.order_id = asked.order_id
           where asked.result = 'ok' and orders.status = 'cancelled'""",
        f"""select 'order ' || asked.order_id || ' was answered with ' || {_amount("asked.amount_cents")}
                  || ' and has ' || {_amount("orders.amount_cents")}
           from asked join orders on orders.order_id = asked.order_id
           where asked.result = 'ok' and orders.amount_cents <> asked.amount_cents""",
        # also where the customer heard nothing: if the order exists, it must be the one that was asked for
        """select 'order ' || orders.order_id || ' was asked for with ' || asked.lines || ' and has ' || orders.lines
           from asked join orders on orders.key = asked.key
           where orders.lines <> asked.lines""",
    ),
    unknown=(
        """select n || ' orders were answered ok without a number or an amount, so nobody can look them up'
           from (select count(*) as n from asked where result = 'ok' and (order_id is null or amount_cents is null))
           where n > 0""",
    ),
)

_NONE_DOUBLED = Rule(
    kept="no idempotency key made two orders",
    subject="select count(*) from orders",
    subject_noun="order in the database",
    breach=(
        """select 'key ' || key || ' made ' || count(*) || ' orders: ' || group_concat(order_id, ', ')
           from orders where key is not null group by key having count(*) > 1""",
        """select 'order ' || order_id || ' stands ' || count(*) || ' times in the database'
           from orders group by order_id having count(*) > 1 and count(distinct key) <> 1""",
    ),
    unknown=(
        """select n || ' orders exist that the load never asked for, such as ' || example
                  || ': doubled under another key, or placed by somebody else'
           from (select count(*) as n, min(orders.order_id) as example
                 from orders left join asked on asked.key = orders.key where asked.key is null) where n > 0""",
    ),
)

_CHARGED_ONCE = Rule(
    kept="every paid order was charged exactly once, with its amount",
    subject="select count(*) from orders where status = 'paid'",
    subject_noun="paid order",
    breach=(
        f"""select 'order ' || order_id || ' was charged ' || count(*) || ' times, '
                  || {_amount("sum(amount_cents)")} || ' in all' from charges
           where status in {_TOOK_MONEY} group by order_id having count(*) > 1""",
        f"""select 'order ' || orders.order_id || ' is paid and was never charged' from orders
           where orders.status = 'paid' and not exists (select 1 from charges
               where charges.order_id = orders.order_id and charges.status in {_TOOK_MONEY})""",
        f"""select 'charge ' || charge_id || ' took ' || {_amount("charges.amount_cents")}
                  || ' for order ' || charges.order_id || ', which does not exist'
           from charges left join orders on orders.order_id = charges.order_id
           where charges.status in {_TOOK_MONEY} and orders.order_id is null""",
        f"""select 'charge ' || charge_id || ' took ' || {_amount("charges.amount_cents")}
                  || ' for order ' || orders.order_id || ', which has ' || {_amount("orders.amount_cents")}
           from charges join orders on orders.order_id = charges.order_id
           where charges.status in {_TOOK_MONEY} and charges.amount_cents <> orders.amount_cents""",
        f"""select 'charge ' || charge_id || ' took ' || {_amount("charges.amount_cents")}
                  || ' for order ' || orders.order_id || ', which is cancelled'
           from charges join orders on orders.order_id = charges.order_id
           where charges.status in {_TOOK_MONEY} and orders.status = 'cancelled'""",
    ),
    unknown=(
        _STATUS_UNKNOWN,
        f"""select n || ' charges have a status that is not understood, such as ' || example
           from (select count(*) as n, min(status) as example from charges where status not in {_KNOWN_CHARGES})
           where n > 0""",
    ),
)

_SETTLED = Rule(
    kept="no order is pending",
    subject="select count(*) from orders",
    subject_noun="order in the database",
    breach=("select 'order ' || order_id || ' is still pending' from orders where status = 'pending'",),
    unknown=(_STATUS_UNKNOWN,),
)

_STOCK_CONSERVED = Rule(
    kept="initial stock = remaining + sold, never below zero",
    subject="select sum(quantity) from sold",
    subject_noun="unit sold",
    breach=(
        """select stock.sku || ': ' || initial || ' at first, ' || ifnull(quantity, 0) || ' sold, ' || remaining
                  || ' left; should be ' || (initial - ifnull(quantity, 0))
           from stock left join sold on sold.sku = stock.sku where initial - ifnull(quantity, 0) <> remaining""",
        "select sku || ': ' || remaining || ' left, below zero' from stock where remaining < 0",
        """select sold.sku || ': ' || quantity || ' sold of what was never in stock'
           from sold left join stock on stock.sku = sold.sku where stock.sku is null and quantity <> 0""",
        "select sku || ' stands ' || count(*) || ' times in the stock' from stock group by sku having count(*) > 1",
    ),
    unknown=(_STATUS_UNKNOWN,),
)

_REPLICAS_AGREE = Rule(
    kept="every server holds the same rows",
    subject='select count(distinct server) from replicas where "table" is not null',
    subject_noun="server",
    breach=(
        """select "table" || ': '
                  || group_concat(server || ' has ' || "rows" || ' rows (' || substr(digest, 1, 12) || ')', ', ')
           from replicas where "rows" is not null and digest is not null group by "table"
           having count(distinct "rows" || '/' || digest) > 1""",
    ),
    unknown=(
        """select server || ' could not be read' from replicas
           where "table" is null or "rows" is null or digest is null limit 1""",
        """select 'only ' || example || ' was read: there is nothing to agree with'
           from (select count(distinct server) as n, min(server) as example from replicas) where n = 1""",
        """select "table" || ' was read on ' || count(distinct server) || ' of '
                  || (select count(distinct server) from replicas) || ' servers' from replicas group by "table"
           having count(distinct server) < (select count(distinct server) from replicas) limit 1""",
    ),
)

_SHIPMENTS_MATCH = Rule(
    kept="every paid order has exactly one shipment, no other has any",
    subject="select count(*) from orders where status = 'paid'",
    subject_noun="paid order",
    breach=(
        """select 'order ' || order_id || ' has ' || count(*) || ' shipments: ' || group_concat(shipment_id, ', ')
           from shipments group by order_id having count(*) > 1""",
        """select 'order ' || order_id || ' is paid and has no shipment' from orders
           where status = 'paid' and not exists (select 1 from shipments where shipments.order_id = orders.order_id)""",
        """select 'shipment ' || shipment_id || ' is for order ' || shipments.order_id || ', which '
                  || case when orders.order_id is null then 'does not exist' else 'is ' || orders.status end
           from shipments left join orders on orders.order_id = shipments.order_id
           where orders.status is null or orders.status in ('pending', 'cancelled')""",
    ),
    unknown=(_STATUS_UNKNOWN,),
)

RULES: Mapping[Invariant, Rule] = {
    Invariant.NONE_LOST: _NONE_LOST,
    Invariant.NONE_DOUBLED: _NONE_DOUBLED,
    Invariant.CHARGED_ONCE: _CHARGED_ONCE,
    Invariant.SETTLED: _SETTLED,
    Invariant.STOCK_CONSERVED: _STOCK_CONSERVED,
    Invariant.REPLICAS_AGREE: _REPLICAS_AGREE,
    Invariant.SHIPMENTS_MATCH: _SHIPMENTS_MATCH,
}
"""Every invariant's rule."""

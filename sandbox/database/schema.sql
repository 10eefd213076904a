-- The shop's tables, and the functions that place, settle and cancel an order, each in one round trip.
-- Read in single-user mode, where a semicolon and an empty line end a statement: no empty lines within one.

create role shop login replication;

-- What watching the servers and ending sessions takes, and no more.
grant pg_monitor, pg_signal_backend to shop;

create table products (
    sku text primary key,
    name text not null,
    kind text not null,
    description text not null,
    price_cents bigint not null check (price_cents > 0)
);

create table stock (
    sku text primary key references products,
    initial bigint not null,
    remaining bigint not null check (remaining >= 0)
);

-- once_key is what makes a repeated key find its first order; without that protection it stays empty.
create table orders (
    order_id uuid primary key default gen_random_uuid(),
    idempotency_key text not null,
    once_key text unique,
    customer text not null,
    status text not null default 'pending' check (status in ('pending', 'paid', 'cancelled')),
    amount_cents bigint not null check (amount_cents > 0),
    charge_id text,
    shipment_id text,
    placed_at timestamptz not null default now()
);

create index orders_pending on orders (placed_at) where status = 'pending';

create table order_lines (
    order_id uuid not null references orders,
    sku text not null references products,
    quantity bigint not null check (quantity > 0),
    price_cents bigint not null,
    primary key (order_id, sku)
);

-- Work still to be done with third parties. A row leaves only when its work is known to be done.
create table outbox (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('charge', 'ship')),
    order_id uuid not null references orders,
    tries integer not null default 0,
    not_before timestamptz not null default now(),
    created_at timestamptz not null default now(),
    unique (kind, order_id)
);

create index outbox_due on outbox (kind, not_before);

-- Places an order: order, lines, stock and outbox, all or nothing. The same key again (once) returns the first order.
-- wanted: [{sku, quantity, price_cents}], each sku once. Raises SH001 (detail: the sku) when stock does not suffice.
create function place_order(key text, buyer text, wanted jsonb, once boolean, deferred boolean)
returns table (placed_id uuid, placed_status text, placed_cents bigint, repeated boolean)
language plpgsql as $$
declare
    new_id uuid;
    new_cents bigint;
    short text;
begin
    insert into orders (idempotency_key, once_key, customer, amount_cents)
        select key, case when once then key end, buyer, sum(w.quantity * w.price_cents)
        from jsonb_to_recordset(wanted) as w(sku text, quantity bigint, price_cents bigint)
        on conflict (once_key) do nothing
        returning order_id, amount_cents into new_id, new_cents;
    if new_id is null then
        return query select o.order_id, o.status, o.amount_cents, true from orders o where o.once_key = key;
        return;
    end if;
    insert into order_lines (order_id, sku, quantity, price_cents)
        select new_id, w.sku, w.quantity, w.price_cents
        from jsonb_to_recordset(wanted) as w(sku text, quantity bigint, price_cents bigint);
    -- Locks in one order for everybody, so that two baskets with the same things cannot dead-lock.
    perform 1 from stock s join order_lines l using (sku) where l.order_id = new_id order by s.sku for update of s;
    select l.sku into short from order_lines l join stock s using (sku)
        where l.order_id = new_id and s.remaining < l.quantity limit 1;
    if short is not null then
        raise exception 'sold out' using errcode = 'SH001', detail = short;
    end if;
    update stock s set remaining = s.remaining - l.quantity
        from order_lines l where l.order_id = new_id and l.sku = s.sku;
    if deferred then
        insert into outbox (kind, order_id) values ('charge', new_id);
    end if;
    return query select new_id, 'pending'::text, new_cents, false;
end $$;

-- Marks pending orders paid, with their charges, and hands them to shipping. Orders no longer pending are left alone.
create function settle_orders(paid_ids uuid[], charges text[])
returns void
language sql as $$
    delete from outbox where kind = 'charge' and order_id = any(paid_ids);
    with paid as (
        update orders o set status = 'paid', charge_id = c.charge
            from unnest(paid_ids, charges) as c(order_id, charge)
            where o.order_id = c.order_id and o.status = 'pending'
            returning o.order_id
    )
    insert into outbox (kind, order_id) select 'ship', order_id from paid;
$$;

-- Notes the shipments of paid orders.
create function ship_orders(shipped_ids uuid[], shipments text[])
returns void
language sql as $$
    delete from outbox where kind = 'ship' and order_id = any(shipped_ids);
    update orders o set shipment_id = s.shipment
        from unnest(shipped_ids, shipments) as s(order_id, shipment)
        where o.order_id = s.order_id and o.shipment_id is null;
$$;

-- Cancels a pending order and gives its stock back. True if this call did so.
create function cancel_order(cancelled_id uuid)
returns boolean
language plpgsql as $$
begin
    update orders set status = 'cancelled' where order_id = cancelled_id and status = 'pending';
    if not found then
        return false;
    end if;
    perform 1 from stock s join order_lines l using (sku) where l.order_id = cancelled_id order by s.sku for update of s;
    update stock s set remaining = s.remaining + l.quantity
        from order_lines l where l.order_id = cancelled_id and l.sku = s.sku;
    return true;
end $$;

grant select, insert, update, delete on all tables in schema public to shop;


"""The patient: a small online shop, of real parts, that the experiments injure.

What it needs to be told comes through the environment (`settings`), and what others need to know of it stands in
`shop.yaml`. It never imports the tool that injures it. The files, in the order an order passes them:

    shop.yaml        services, ports, readiness, protections, how orders are placed and how records are read
    settings         addresses, own name and data folder, from the environment
    protections      the names of what can be switched off, and whether each is on
    serve            runs a service until SIGTERM
    breaker          circuit breaker
    backoff          waits between tries
    postgres         PostgreSQL client: bounded pool, time budget per statement
    gateway          HTTP client of the two third parties
    edge/            the one entrance
    storefront/      pages, search, cart, checkout
    worker/          settles orders from the outbox
    third_party/     what payments and shipping share: ledger, faults, ports
    payments         the payment gateway
    shipping         the carrier
    database/        PostgreSQL primary and standbys
    cache            Valkey
"""

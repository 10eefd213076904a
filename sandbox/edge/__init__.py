"""The one entrance: people and the load come in here.

__main__    puts the parts together
balancer    which storefront is asked next; health checks and ejection
forward     tries a request on the storefronts, within a time budget
limits      requests per client, and how many may be under way; browsing is turned away before checkout
refusals    what the edge itself answers: plain words, and whether money was taken
"""

"""A storefront: the pages people see and the JSON that programs use. Two of them run side by side and share nothing.

__main__       puts the parts together
reads          product data from the replicas, with fallback
catalogue      product list, search and product, through the cache
product_cache  the cache in front of them: short-lived, and never waited for
checkout       places an order
charging       charges within the checkout, for a shop without deferral
orders         looks an order up
status         what customers are told about the shop's state
api            JSON
pages          HTML
rendering      templates, prices, the cart cookie's place on every page
cart           the cart, kept in a cookie
problems       errors in plain words, and the edge that catches the rest
"""

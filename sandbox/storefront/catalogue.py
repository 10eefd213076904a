"""Product list, search and single products, as JSON-ready dictionaries, through the cache."""

from typing import Any

from sandbox.storefront.product_cache import ProductCache
from sandbox.storefront.reads import Reads

Product = dict[str, Any]

QUERY_LETTERS_MAX = 60
_FIELDS = ("sku", "name", "kind", "description", "price_cents", "remaining")


class Catalogue:
    """What is on sale. Every call may raise DatabaseUnavailableError."""

    def __init__(self, reads: Reads, cache: ProductCache) -> None:
        self._reads = reads
        self._cache = cache

    async def search(self, words: str) -> list[Product]:
        """The products whose name, kind or description contains all `words`, by SKU; all products for no words."""
        wanted = " ".join(words.lower().split())[:QUERY_LETTERS_MAX]

        async def load() -> list[Product]:
            patterns = [f"%{_literally(word)}%" for word in wanted.split()]
            rows = await self._reads.query(
                "select sku, name, kind, description, price_cents, remaining from products join stock using (sku) "
                "where (name || ' ' || kind || ' ' || description) ilike all (%s::text[]) order by sku",
                (patterns,),
            )
            return [dict(zip(_FIELDS, row, strict=True)) for row in rows]

        found: list[Product] = await self._cache.get_or(f"search:{wanted}", load)
        return found

    async def product(self, sku: str) -> Product | None:
        """One product, or None where there is none of that SKU."""
        if not sku.isprintable() or len(sku) > QUERY_LETTERS_MAX:
            return None

        async def load() -> Product | None:
            rows = await self._reads.query(
                "select sku, name, kind, description, price_cents, remaining from products join stock using (sku) "
                "where sku = %s",
                (sku,),
            )
            return dict(zip(_FIELDS, rows[0], strict=True)) if rows else None

        found: Product | None = await self._cache.get_or(f"product:{sku}", load)
        return found


def _literally(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

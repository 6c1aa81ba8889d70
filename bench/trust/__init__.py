"""How often the verdict is wrong, measured: simulations and real repeats behind docs/trust.md.

    python -m trust gallery | corpora | halving | quality | machine | decision | page

(from bench/; `make trust` runs them all)
Each part writes docs/trust/<part>.json, rows of `trust.rows.Row`; `page` draws docs/trust.md.
"""

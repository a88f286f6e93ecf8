"""What bench_search.py and record_table.py are made of: curves, real runs, peers, recorded tables."""

"""What a study is and what is stored of it: its spec, the database, its folder and its summary."""

"""What RecBole answers, recorded for our tests to compare with. Runs in the peer's environment."""

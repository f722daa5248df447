"""A loose bound that no busy machine breaks; tests/bench measures the figure."""


def test_two_ranks_are_not_slower_than_half_of_the_whole_model(program, sharded, minilm):
    sharded.report("minilm_2")
    report = program.json("bench", sharded.path / "minilm_2", "--baseline", minilm, "--batch", 8, "--length", 128,
                          "--seconds", 3)
    assert report["throughput_ratio"] >= 0.5

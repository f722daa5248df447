"""The models that the end-to-end tests serve."""

ZOO = ("bert_dyn", "bert_op23", "gpt2", "gpt2_dyn", "llama_gqa_op18", "llama_gqa_op23", "llama_gqa_dyn", "vit")

# The models that are served all at once: name in the repository -> (file, ranks, strategy). A file is of the zoo
# unless "minilm". What auto chooses for a tiny model may need no collective at all; "tensor" is the hard way.
SERVED = {f"minilm_{ranks}": ("minilm", ranks, "auto") for ranks in (1, 2, 3, 4, 6)}
SERVED |= {f"{source}_{strategy}": (source, 2, strategy) for source in ZOO for strategy in ("auto", "tensor")}

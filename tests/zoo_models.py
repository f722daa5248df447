"""The zoo: small models with random weights."""

ZOO_MODELS = [
    "bert_dyn",
    "bert_op23",
    "clip",
    "dit",
    "gpt2",
    "gpt2_dyn",
    "llama_gqa_dyn",
    "llama_gqa_op18",
    "llama_gqa_op23",
    "mixtral_moe",
    "unet_sd",
    "vae_decoder",
    "vit",
]

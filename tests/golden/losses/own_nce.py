# noise contrastive estimation with a label that is drawn nearly always: a norm term, a sampler with distortion, hits removed
weights = [1e-9, 1e-9, 1.0, 1e-9, 1e-9, 1e-9]
extern_data = {"data": {"dim": 6, "sparse": True}}
def nce(**opts):
    return {"class": "softmax", "from": ["emb", "wide"], "loss": "sampling_loss", "target": "data", "use_transposed_weights": True,
            "dropout": 0.0, "loss_opts": {"num_sampled": 1, "nce_loss": True, "sampler": "fixed_unigram", **opts}}
network = {"emb": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
  "wide": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "emb"},
  "plain": nce(sampler_args={"unigrams": weights}, nce_log_norm_term=1.5, num_splits=2),
  "distorted": nce(sampler_args={"unigrams": [w ** 2 for w in weights], "distortion": 0.5}, scale=0.3),
  "output": nce(sampler_args={"unigrams": weights}, remove_accidental_hits=True)}
case = {"train": True, "int_range": {"data": [0, 6]}}

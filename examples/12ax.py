# The 12AX task: say "right" (1) where an X follows an A after a 1, or a Y a B after a 2, and "wrong" (0) elsewhere.
# Generated data; the old spellings num_inputs, num_outputs and adam = True.
#
#     returnn-run examples/12ax.py

task = "train"
train = {"class": "Task12AXDataset", "num_seqs": 500}
dev = {"class": "Task12AXDataset", "num_seqs": 100, "fixed_random_seed": 1}

num_inputs = 9
num_outputs = 2

network = {
    "lstm": {"class": "rec", "unit": "lstm", "n_out": 20, "from": "data"},
    "output": {"class": "softmax", "loss": "ce", "from": "lstm"},
}

batch_size = 2000
max_seqs = 20
num_epochs = 5
adam = True
learning_rate = 0.01

model = "examples/out/12ax/net"
learning_rate_file = "examples/out/12ax/learning_rates"

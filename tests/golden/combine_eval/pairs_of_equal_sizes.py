# a linear layer of as many features has its source's dim, which pairs first; the axis of an int in shape goes with the first of its size
extern_data = {'data': {'dim': 3}}
network = {
    'win': {'class': 'window', 'from': 'data', 'window_size': 3, 'axis': 'T'},
    'var': {'class': 'variable', 'shape': (3,), 'init': 0.5},
    'mul': {'class': 'combine', 'from': ['win', 'var'], 'kind': 'mul'},
    'stackwin': {'class': 'stack', 'from': ['data', 'data', 'data']},
    'mul2': {'class': 'combine', 'from': ['stackwin', 'var'], 'kind': 'mul'},
    'mul3': {'class': 'eval', 'from': ['win', 'var'], 'eval': 'source(0) * source(1)'},
    'lin': {'class': 'linear', 'from': 'data', 'n_out': 3, 'activation': 'tanh'},
    'mul4': {'class': 'combine', 'from': ['win', 'lin'], 'kind': 'mul'},
    'vec': {'class': 'reduce', 'from': 'data', 'mode': 'mean', 'axis': 'T'},
    'mul5': {'class': 'combine', 'from': ['win', 'vec'], 'kind': 'mul'},
}
network["output"] = {"class": "eval", "from": "mul4", "eval": "source(0) ** 2", "loss": "as_is"}

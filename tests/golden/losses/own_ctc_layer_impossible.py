# ctc_loss of sequences that are too short for their labels: they cost nothing, but have a gradient; max_approx is infinite
extern_data = {'data': {'dim': 3}, 'labels': {'dim': 3, 'sparse': True}}
network = {'lin': {'class': 'linear', 'from': 'data', 'activation': None, 'n_out': 4},
 'cut': {'class': 'slice', 'axis': 'T', 'slice_start': 1, 'from': 'lin'},
 'a': {'class': 'ctc_loss', 'logits': 'lin', 'targets': 'data:labels'},
 'b': {'class': 'ctc_loss', 'logits': 'lin', 'targets': 'data:labels', 'label_loop': False},
 'c': {'class': 'ctc_loss', 'logits': 'lin', 'targets': 'data:labels', 'max_approx': True},
 'd': {'class': 'ctc_loss', 'logits': 'cut', 'targets': 'data:labels'},
 'loss': {'class': 'copy', 'from': 'a', 'loss': 'as_is'}}
case = {'batch': 4, 'lens': {'data': [1, 2, 5, 3], 'labels': [2, 2, 2, 2]}, 'inputs': {'labels': [[0, 1], [1, 1], [0, 2], [1, 1]]}}

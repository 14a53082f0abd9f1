# random net 132 of seed 1
from returnn.tensor import Dim, batch_dim
import tensorflow as tf
time1_dim = Dim(None, name='time1')
short2_dim = Dim(None, name='short2')
feat3_dim = Dim(6, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(4, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(3, name='feat5', kind=Dim.Types.Feature)
def function6(source, scale, **kwargs):
    return tf.exp(-tf.abs(source(0) * scale))
behavior_version = 24
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'labels': {'dim_tags': [batch_dim, short2_dim], 'sparse_dim': feat5_dim, 'dtype': 'int32', 'available_for_inference': True},
}
network = {
    'switch12': {'class': 'switch', 'condition': 'compare11', 'true_from': 'rnn_cell9', 'false_from': 0.5},
    'rnn_cell9': {'class': 'rnn_cell', 'from': 'transpose7', 'unit': 'BasicLSTM', 'n_out': 4},
    'compare11': {'class': 'compare', 'from': 'positional_e10', 'value': 0.1, 'kind': 'less_equal'},
    'eval6': {'class': 'eval', 'from': 'data', 'eval': function6, 'eval_locals': {'scale': 2.0}},
    'transpose7': {'class': 'transpose', 'from': 'eval6', 'perm': {'B': 'B', 'T': 'F', 'F': 'T'}},
    'positional_e10': {'class': 'positional_encoding', 'from': 'rnn_cell9', 'add_to_input': True},
    'loss_switch12_square': {'class': 'eval', 'from': 'switch12', 'eval': 'source(0) ** 2'},
    'loss_switch12': {'class': 'reduce', 'from': 'loss_switch12_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
    'loss_transpose7_square': {'class': 'eval', 'from': 'transpose7', 'eval': 'source(0) ** 2'},
    'loss_transpose7': {'class': 'reduce', 'from': 'loss_transpose7_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is'},
    'loss_positional_e10': {'class': 'eval', 'from': 'positional_e10', 'eval': 'source(0) ** 2', 'loss': 'as_is'},
}
case = {'batch': 3, 'lens': {'data': [1, 8, 4], 'classes': [1, 8, 4], 'labels': [1, 4, 2]}, 'seed': 1}

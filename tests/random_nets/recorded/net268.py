# random net 268 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1')
short2_dim = Dim(None, name='short2', kind=Dim.Types.Spatial)
feat3_dim = Dim(3, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(4, name='feat4', kind=Dim.Types.Feature)
feat8_dim = Dim(2, name='feat8', kind=Dim.Types.Feature)
behavior_version = 24
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
}
network = {
    'reduce6': {'class': 'reduce', 'from': 'data', 'mode': 'mean', 'axis': ['B', 'T', 'F']},
    'eval5': {'class': 'eval', 'from': ['data', 'data'], 'eval': 'tf.maximum(source(0), source(1)) - source(1)'},
    'compare7': {'class': 'compare', 'from': 'reduce6', 'kind': 'less', 'value': 0.0},
    'cond9': {'class': 'cond', 'from': [], 'condition': 'compare7', 'true_layer': {'class': 'linear', 'from': 'data', 'activation': 'tanh', 'out_dim': feat8_dim}, 'false_layer': {'class': 'linear', 'from': 'data', 'out_dim': feat8_dim, 'activation': None}},
    'compare10': {'class': 'compare', 'from': ['data', 'eval5'], 'kind': 'less', 'name_scope': 'scope'},
    'tikhonov_reg12': {'class': 'tikhonov_regularization', 'from': 'eval5', 'meta_loss_scale': 0.1},
    'switch11': {'class': 'switch', 'condition': 'compare10', 'true_from': 'data', 'false_from': 'data'},
    'loss_switch11': {'class': 'eval', 'from': 'switch11', 'eval': 'source(0) ** 2', 'loss': 'as_is', 'loss_scale': 2.0},
    'loss_cond9_square': {'class': 'eval', 'from': 'cond9', 'eval': 'source(0) ** 2'},
    'loss_cond9': {'class': 'reduce', 'from': 'loss_cond9_square', 'mode': 'mean', 'axis': 'except_batch', 'loss': 'as_is', 'loss_scale': 0.5},
}
case = {'batch': 3, 'lens': {'data': [1, 8, 4], 'classes': [1, 8, 4]}, 'grad': False, 'seed': 27}

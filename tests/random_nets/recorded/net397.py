# random net 397 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1', kind=Dim.Types.Spatial)
short2_dim = Dim(None, name='short2', kind=Dim.Types.Spatial)
feat3_dim = Dim(5, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(7, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(6, name='feat5', kind=Dim.Types.Feature)
behavior_version = 27
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'labels': {'dim_tags': [batch_dim, short2_dim], 'sparse_dim': feat5_dim, 'dtype': 'int32', 'available_for_inference': True},
}
network = {
    'constant6': {'class': 'constant', 'value': 1.5, 'shape': [feat3_dim], 'dtype': 'float32'},
    'combine7': {'class': 'combine', 'from': ['data', 'constant6'], 'kind': 'sub'},
    'variable8': {'class': 'variable', 'shape': (), 'init': 1.0, 'trainable': False},
    'constant9': {'class': 'constant', 'value': 2.5},
    'variable_ass10': {'class': 'variable_assign', 'var': 'variable8', 'value': 'constant9', 'op': 'add'},
    'variable_rea11': {'class': 'variable_read', 'var': 'variable8', 'control_dependencies': ['variable_ass10']},
    'tile14': {'class': 'tile', 'from': 'data', 'multiples': {feat3_dim: 3}},
    'linear15': {'class': 'linear', 'from': 'data', 'activation': None, 'out_dim': feat4_dim},
    'sparse_softm16': {'class': 'sparse_softmax_cross_entropy_with_logits', 'logits': 'linear15', 'targets': 'data:classes', 'axis': 'F', 'loss': 'as_is'},
    'loss_tile14': {'class': 'eval', 'from': 'tile14', 'eval': 'source(0) ** 2', 'loss': 'as_is', 'loss_scale': 2.0},
}
case = {'batch': 3, 'lens': {'data': [6, 1, 3], 'classes': [6, 1, 3], 'labels': [3, 1, 1]}, 'seed': 82}

# random net 179 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1', kind=Dim.Types.Spatial)
short2_dim = Dim(None, name='short2', kind=Dim.Types.Spatial)
feat3_dim = Dim(2, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(4, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(3, name='feat5', kind=Dim.Types.Feature)
copies7_dim = Dim(2, name='copies7')
stack11_dim = Dim(2, name='stack11')
behavior_version = 23
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'labels': {'dim_tags': [batch_dim, short2_dim], 'sparse_dim': feat5_dim, 'dtype': 'int32', 'available_for_inference': True},
}
network = {
    'random_state6': {'class': 'random_state_init', 'seed': 3},
    'expand_dims8': {'class': 'expand_dims', 'from': 'data', 'axis': 'spatial', 'dim': copies7_dim},
    'rec15': {'class': 'rec', 'from': 'data', 'target': 'classes', 'unit': {
        'linear10': {'class': 'linear', 'from': 'prev:output', 'activation': None, 'n_out': 3},
        'stack12': {'class': 'stack', 'from': ['base:data', 'base:data'], 'out_spatial_dim': stack11_dim},
        'dct13': {'class': 'dct', 'from': 'base:data', 'type': 2},
        'softmax14': {'class': 'softmax', 'from': ['linear10'], 'n_out': 4},
        'output': {'class': 'choice', 'beam_size': 3, 'target': 'classes', 'initial_output': 0, 'from': 'softmax14', 'input_type': 'prob'},
        'beams': {'class': 'choice_get_src_beams', 'from': 'output', 'is_output_layer': True},
    }},
    'batch_norm16': {'class': 'batch_norm', 'from': 'data', 'use_shift': False, 'use_std': False, 'use_sample': 1.0, 'param_version': 1, 'masked_time': True},
    'random_state17': {'class': 'random_state_init', 'seed': 3},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'labels': [2, 3, 1]}, 'search': True, 'seed': 59}

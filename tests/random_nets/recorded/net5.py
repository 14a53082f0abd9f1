# random net 5 of seed 1
from returnn.tensor import Dim, batch_dim
time1_dim = Dim(None, name='time1', kind=Dim.Types.Spatial)
short2_dim = Dim(None, name='short2')
feat3_dim = Dim(6, name='feat3', kind=Dim.Types.Feature)
feat4_dim = Dim(5, name='feat4', kind=Dim.Types.Feature)
feat5_dim = Dim(4, name='feat5', kind=Dim.Types.Feature)
feat6_dim = Dim(5, name='feat6', kind=Dim.Types.Feature)
feat7_dim = Dim(2, name='feat7', kind=Dim.Types.Feature)
block23_dim = Dim(3, name='block23')
blocks24_dim = Dim(None, name='blocks24', kind=Dim.Types.Spatial)
behavior_version = 29
extern_data = {
    'data': {'dim_tags': [batch_dim, time1_dim, feat3_dim], 'dtype': 'float32'},
    'classes': {'dim_tags': [batch_dim, time1_dim], 'sparse_dim': feat4_dim, 'dtype': 'int32', 'available_for_inference': True},
    'labels': {'dim_tags': [batch_dim, short2_dim], 'sparse_dim': feat5_dim, 'dtype': 'int32', 'available_for_inference': True},
    'speaker': {'dim_tags': [batch_dim], 'sparse_dim': feat6_dim, 'dtype': 'int32', 'available_for_inference': True},
}
network = {
    'rec20': {'class': 'rec', 'from': 'data', 'target': 'classes', 'unit': {
        'linear8': {'class': 'linear', 'from': 'prev:output', 'activation': None, 'with_bias': False, 'out_dim': feat7_dim},
        'range_in_axi9': {'class': 'range_in_axis', 'from': 'base:data', 'axis': 'T'},
        'cast10': {'class': 'cast', 'from': 'range_in_axi9', 'dtype': 'float32'},
        'subnetwork16': {'class': 'subnetwork', 'from': 'linear8', 'subnetwork': {
            'reduce11': {'class': 'reduce', 'from': 'data', 'mode': 'sum', 'axis': 'F'},
            'compare12': {'class': 'compare', 'from': 'reduce11', 'kind': 'greater', 'value': 0.0, 'initial_output': True},
            'masked_compu14': {'class': 'masked_computation', 'from': 'data', 'mask': 'prev:compare12', 'unit': {'class': 'linear', 'from': 'data', 'activation': 'tanh', 'n_out': 5}},
            'unmask15': {'class': 'unmask', 'from': 'masked_compu14', 'mask': 'prev:compare12'},
            'output': {'class': 'copy', 'from': 'unmask15'},
        }},
        'expand_dims18': {'class': 'expand_dims', 'from': 'cast10', 'axis': 'F'},
        'softmax19': {'class': 'softmax', 'from': ['subnetwork16', 'linear8'], 'n_out': 5},
        'output': {'class': 'choice', 'beam_size': 4, 'target': 'classes', 'initial_output': 0, 'from': 'softmax19', 'input_type': 'prob', 'length_normalization': False},
    }},
    'decide21': {'class': 'decide', 'from': 'rec20'},
    'split_dims26': {'class': 'split_dims', 'from': 'data', 'axis': time1_dim, 'dims': (blocks24_dim, block23_dim), 'pad_to_multiples': True},
    'cast27': {'class': 'cast', 'from': 'data', 'dtype': 'float64'},
    'cast28': {'class': 'cast', 'from': 'cast27', 'dtype': 'float32'},
    'random_state29': {'class': 'random_state_init', 'seed': 3},
    'batch_norm30': {'class': 'batch_norm', 'from': 'data', 'use_std': False, 'epsilon': 0.01, 'update_sample_only_in_training': True, 'masked_time': True, 'use_sample': 0.5},
}
case = {'batch': 3, 'lens': {'data': [1, 8, 4], 'classes': [1, 8, 4], 'labels': [1, 4, 2]}, 'param_scale': 1.0, 'search': True, 'seed': 53}

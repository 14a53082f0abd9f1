# random net 248 of seed 1
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim('time')
behavior_version = 14
extern_data = {
    'data': {'dim': 6, 'same_dim_tags_as': {'T': time_dim}},
    'classes': {'dim': 7, 'sparse': True, 'same_dim_tags_as': {'T': time_dim}, 'available_for_inference': True},
    'labels': {'dim': 6, 'sparse': True, 'available_for_inference': True},
}
network = {
    'slice3': {'class': 'slice', 'from': 'data', 'axis': 'F', 'slice_start': 0, 'slice_end': 6, 'slice_step': 2},
    'global_train4': {'class': 'global_train_step'},
    'train_flag5': {'class': 'train_flag'},
    'split9': {'class': 'split', 'from': 'data', 'axis': 'F', 'num_splits': 2},
    'copy10': {'class': 'copy', 'from': 'split9/0'},
    'copy11': {'class': 'copy', 'from': 'split9/1'},
    'print12': {'class': 'print', 'from': 'copy11'},
}
case = {'batch': 3, 'lens': {'data': [4, 7, 1], 'classes': [4, 7, 1], 'labels': [2, 3, 1]}, 'train': True, 'seed': 12}

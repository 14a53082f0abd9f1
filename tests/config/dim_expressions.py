"""What a config may do with dims while it loads: expressions that RETURNN and this project evaluate alike."""

from __future__ import annotations

__all__ = ["ANSWERS", "FIELDS", "MADE", "PREAMBLE"]

#: Evaluated before each expression; the names are those of ``returnn.tensor`` and ``returnn.tf.util.data``.
PREAMBLE = """
t, s, h = SpatialDim("time"), SpatialDim("src"), SpatialDim("heads", 2)
a, b = FeatureDim("feat", 6), FeatureDim("in", 4)
n, m = Dim(None, name="n"), Dim(8, name="m")
q = Dim(Tensor("lengths", [batch_dim], "int32"))
vocab = {"class": "Vocabulary", "labels": ["a", "b", "c"], "vocab_file": None, "unknown_label": None}
"""

#: Of each dim that an expression makes.
FIELDS = tuple(
    """
dimension
kind
match_priority
auto_generated
special
batch
control_flow_ctx
dyn_size
is_dynamic()
is_static()
is_dim_known()
is_batch_dim()
is_feature_dim()
is_spatial_dim()
need_masking()
is_dynamic_seq_length()
can_be_used_as_dim()
capacity
description
short_repr()
""".strip().splitlines()
)

#: Dims, constructors and arithmetic.
MADE = tuple(
    """
t
a
n
m
h
q
batch_dim
single_step_dim
t+1
1+t
t-1
t-1+1
t+s
s+t
t+t
2*t
t*2
t*s
t*2*3
t*a
a*b
a*h
h*a
a+b
a+1
a-2
a-6
-t
t//2
t/2
t.ceildiv_right(2)
t.ceildiv_left(2)
t.div_left(2)
t.div_right(2)
a//2
a/2
a/4
a.div_left(2)
a.div_right(h)
a.div_left(h)
h*b
m*n
m+n
(h*b).div_left(h)
(h*b)/b
(h*b)//h
(h*b)//b
a.ceildiv_right(4)
a.ceildiv_left(4)
(t*a)/a
t.sub_left(1)
t.sub_right(1)
(s+t).sub_left(s)
(t*2)/2
(2*t).div_left(2)
(t*a)//a
m*3
3*m
t.ceildiv_right(2)*2
(t+2-1).ceildiv_right(3)
a*a
t+0
t*1
t//1
q*2
q+1
t*-1
a.copy(match_priority=1)
a.copy(same_as_self=False, description='other')
t.copy(match_priority=2)
a.copy(kind=Dim.Types.Spatial)
a.copy()
t.copy(match_priority=2)+1
t.copy(same_as_self=False, description='z')
a.copy(match_priority=1).get_same_base()
a.get_same_base()
(a+b).get_same_base()
Dim(5, name='x', match_priority=3)
Dim(3, name='y')
Dim(0, name='z')
Dim(None, name='nm', description='ds')
Dim(Tensor('len', [], 'int32'), name='q')
Dim(7, description='d', auto_generated=True)
FeatureDim('f2', None)
SpatialDim('s2', 9)
Dim(10, name='cap', capacity=12)
DimensionTag(kind=DimensionTag.Types.Feature, description='dt', dimension=3)
Dim(None, name='voc', vocab=vocab)
Dim(5, name='from', derived_from_tag=t)
Dim(None, name='bounded', bounded_by=t)
""".strip().splitlines()
)

#: Questions; what they give prints alike.
ANSWERS = tuple(
    """
a.is_equal(a.copy(match_priority=1))
a.is_equal(b)
a == b
t-1+1 is t
(t+1) is (t+1)
t+1 == 1+t
t+s == s+t
a*b == b*a
a+b == b+a
(h*b)/b == h
(h*b).div_left(h) == b
t//2 == t.ceildiv_right(2)
t.copy(match_priority=2)+1 == t+1
(t*2)/2 == t
t+t == 2*t
2*(3*t) == 6*t
a*2 == Dim(12, name='x')
t.ceildiv_right(2).ceildiv_right(2) == t.ceildiv_right(4)
(t//2)//2 == t//4
a == 3
a != b
a == Dim(6, name='feat', kind=Dim.Types.Feature)
a == a.copy(same_as_self=False, description='other')
batch_dim == Dim(kind=Dim.Types.Batch, description='b', dimension=None)
t < s
a < b
a > b
a <= b
b >= a
sorted([t, s, a, b]) == [a, b, s, t]
a.get_dim_value()
a.get_dim_value_tensor()
a.get_size_tensor_or_int()
a.same_as
a.copy(match_priority=1).same_as is a
a.size
a.name
Dim.Types.Time is Dim.Types.Spatial
a.kind == Dim.Types.Feature
a.kind.name
Dim.Types.Types
Dim.Types.Unspecified
a.axis_split_info()
(a+b).axis_split_info()
m.axis_split_info()
a.reset_raw()
a.reset_eager()
a.reset_batch_ctx()
a.reset_batch_and_raw()
t.complete_dyn_size()
a.undefined
not a.is_constant_static_dim()
a.derived_from_tag
Dim.get_existing_tag_from_collection(a.copy(match_priority=1), [t, a]) is a
len({t, t, s})
copy(a) is a
len(Dim.get_uniq_collection([a, a.copy(match_priority=1), t]))
deepcopy(a) is a
bool(a)
(t.declare_same_as(s), t.is_dim_known())[1]
isinstance(a+1, Dim)
isinstance(3, Dim)
a.get_same_derived_base() is a
ImplicitSparseDim(a) == ImplicitSparseDim(a)
ImplicitDynSizeDim(a) == ImplicitSparseDim(a)
OptionalDim(a).tag is a
Tensor('x', [batch_dim, t, a], 'float32').dims == (batch_dim, t, a)
Tensor('x', [batch_dim, a], 'float32').shape
Data(name='x', shape=(None, 5)).batch_shape
Data(name='x', dim=5).dim
Data(name='x', dim=5, sparse=True).dtype
Data(name='x', dim=5, sparse=True).shape
Data(name='x', dim=5).feature_dim_axis
Data(name='x', dim=5).time_dim_axis
Data(name='x', shape=(3,)).time_dim_axis
Data(name='x', dim_tags=[batch_dim, t, a]).time_dim_axis
Data(name='x', dim_tags=[batch_dim, t, a]).feature_dim is a
Data(name='x', dim_tags=[t, batch_dim, a]).batch_dim_axis
Tensor('x', [batch_dim, t], 'int32', sparse_dim=a).sparse
Tensor('x', [batch_dim, t], 'int32', sparse_dim=a).dim
Tensor('x', [batch_dim, t, a], 'float32').feature_dim
Tensor('x', [batch_dim, t, a], 'float32', feature_dim=a).dim
Data(name='x', dim=5).have_time_axis()
Data(name='x', dim=5).batch_ndim
Data(name='x', dim=5).copy_template('y').dim
Tensor('x', [batch_dim, a], 'float32').copy_template(dtype='int32').dtype
Data(name='x', dim=5).sparse
sorted(TensorDict({'x': Tensor('x', [batch_dim, a], 'float32')}).data)
'x' in TensorDict({'x': Tensor('x', [batch_dim, a], 'float32')}).data
Tensor('x', [batch_dim, a], 'float32').have_feature_axis()
Tensor('x', [batch_dim, a], 'float32').have_batch_axis()
""".strip().splitlines()
)

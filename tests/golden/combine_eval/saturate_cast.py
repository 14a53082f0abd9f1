# saturate_cast clips to what the element type holds
extern_data = {"data": {"dim": 3}}
network = {"output": {"class": "eval", "from": "data", "eval": 'tf.cast(tf.saturate_cast(source(0)*300, tf.uint8), tf.float32)'}}

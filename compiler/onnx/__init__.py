"""The ONNX target: graphs as ONNX models that run in onnxruntime."""

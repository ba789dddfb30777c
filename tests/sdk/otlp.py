"""Decodes an export of metrics as a collector would, and tells what is in it.

Input: the JSON body of a POST to /v1/metrics. Output: one JSON line for each metric: name, unit, kind and its points.
Anything that the protocol does not know is a traceback and exit code 1.
"""

import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


def labels(point):
    return {pair.key: pair.value.string_value for pair in point.attributes}


def point(kind, of):
    told = {"labels": labels(of), "start": of.start_time_unix_nano, "time": of.time_unix_nano}
    if kind == "histogram":
        return told | {"count": of.count, "sum": of.sum, "buckets": list(of.bucket_counts), "bounds": list(of.explicit_bounds)}
    return told | {"value": of.as_double}


request = json_format.Parse(sys.stdin.read(), ExportMetricsServiceRequest())
for resource in request.resource_metrics:
    service = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
    for scope in resource.scope_metrics:
        for metric in scope.metrics:
            kind = metric.WhichOneof("data")
            data = getattr(metric, kind)
            row = {"service": service["service.name"], "name": metric.name, "unit": metric.unit, "kind": kind}
            if kind == "sum":
                row["monotonic"] = data.is_monotonic
            if kind != "gauge":
                row["temporality"] = data.aggregation_temporality
            print(json.dumps(row | {"points": [point(kind, of) for of in data.data_points]}))

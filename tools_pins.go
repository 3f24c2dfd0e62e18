//go:build pins

// Package pins keeps the chosen versions in go.mod while the packages that
// import them are being written; the file goes away once they all do.
package pins

import (
	_ "github.com/HdrHistogram/hdrhistogram-go"
	_ "github.com/VictoriaMetrics/metrics"
	_ "github.com/alicebob/miniredis/v2"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/panjf2000/gnet/v2"
	_ "github.com/redis/go-redis/v9"
	_ "github.com/spf13/cobra"
	_ "github.com/valyala/bytebufferpool"
	_ "go.uber.org/goleak"
	_ "go.yaml.in/yaml/v3"
)

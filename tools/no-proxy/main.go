package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"

	"golang.org/x/net/http/httpproxy"
)

// Reads lines {"url": ..., "no_proxy": ...}; prints for each whether the URL is reached directly.
func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked struct {
			URL     string `json:"url"`
			NoProxy string `json:"no_proxy"`
		}
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		config := httpproxy.Config{HTTPProxy: "http://p:1", HTTPSProxy: "http://p:2", NoProxy: asked.NoProxy}
		parsed, err := url.Parse(asked.URL)
		if err != nil {
			panic(err)
		}
		proxy, err := config.ProxyFunc()(parsed)
		fmt.Println(err == nil && proxy == nil)
	}
}

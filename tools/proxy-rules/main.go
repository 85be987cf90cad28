package main

import (
	"bufio"
	"encoding/json"
	"net/url"
	"os"

	"golang.org/x/net/http/httpproxy"
)

// Reads lines {"url": ..., "proxy": ..., "no_proxy": ...}. Prints for each {"host": ..., "user": ...,
// "password": ...} of the proxy that Go would use, all of them empty if it would use none.
func main() {
	lines, printed := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked struct {
			URL     string `json:"url"`
			Proxy   string `json:"proxy"`
			NoProxy string `json:"no_proxy"`
		}
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		config := httpproxy.Config{HTTPProxy: asked.Proxy, HTTPSProxy: asked.Proxy, NoProxy: asked.NoProxy}
		parsed, err := url.Parse(asked.URL)
		if err != nil {
			panic(err)
		}
		var found struct {
			Host     string `json:"host"`
			User     string `json:"user"`
			Password string `json:"password"`
		}
		if proxy, err := config.ProxyFunc()(parsed); err == nil && proxy != nil {
			found.Host, found.User = proxy.Host, proxy.User.Username()
			found.Password, _ = proxy.User.Password()
		}
		if err := printed.Encode(found); err != nil {
			panic(err)
		}
	}
}

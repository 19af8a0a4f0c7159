// fetch URL: Go's net/http with the proxy of the environment. Prints the status and the body, or the error; exit 0 only for 200.
package main

import (
    "fmt"
    "io"
    "net/http"
    "os"
)

func main() {
    reply, err := http.Get(os.Args[1])
    if err != nil {
        fmt.Fprintln(os.Stderr, err)
        os.Exit(1)
    }
    body, err := io.ReadAll(reply.Body)
    if err != nil {
        fmt.Fprintln(os.Stderr, err)
        os.Exit(1)
    }
    fmt.Println(reply.StatusCode, string(body))
    if reply.StatusCode != 200 {
        os.Exit(1)
    }
}

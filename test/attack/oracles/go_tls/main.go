// A TLS server of Go's crypto/tls for test_tls_servers.py: go_tls ADDRESS CERTIFICATE KEY GROUP. Writes the name of each hello that it acts on.
package main

import (
    "crypto/tls"
    "fmt"
    "io"
    "net"
    "os"
)

func main() {
    certificate, err := tls.LoadX509KeyPair(os.Args[2], os.Args[3])
    if err != nil {
        panic(err)
    }
    config := &tls.Config{
        GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
            fmt.Println(hello.ServerName) // a first hello; Go itself compares the second with it
            return nil, nil
        },
        GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
            fmt.Println(hello.ServerName)
            return &certificate, nil
        },
    }
    if os.Args[4] == "P-384" {
        config.CurvePreferences = []tls.CurveID{tls.CurveP384}
    }
    listening, err := net.Listen("tcp", os.Args[1])
    if err != nil {
        panic(err)
    }
    for {
        one, err := listening.Accept()
        if err != nil {
            panic(err)
        }
        go func() {
            defer one.Close()
            s := tls.Server(one, config)
            if s.Handshake() == nil {
                io.Copy(s, s)
            }
        }()
    }
}

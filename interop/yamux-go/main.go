// Command yamux-go is the stock peer of our yamux session: github.com/hashicorp/yamux over stdin and stdout.
//
//	yamux-go server          accepts streams, echoes each until its end, then closes it
//	yamux-go client N SIZE   opens N streams together, sends SIZE bytes on each, half-closes it and expects the echo
//
// Both ping throughout. The client prints "ok" on stderr when all is well; anything else on stderr is a failure.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"sync"

	"github.com/hashicorp/yamux"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: yamux-go server | client N SIZE")
	}
	var err error
	switch os.Args[1] {
	case "server":
		err = serve()
	case "client":
		err = call(number(os.Args, 2), number(os.Args, 3))
	default:
		err = fmt.Errorf("unknown role %q", os.Args[1])
	}
	if err != nil {
		log.Fatal(err)
	}
}

func number(args []string, at int) int {
	if at >= len(args) {
		log.Fatal("missing argument")
	}
	n, err := strconv.Atoi(args[at])
	if err != nil {
		log.Fatal(err)
	}
	return n
}

// pipe is the session's connection.
type pipe struct{}

func (pipe) Read(p []byte) (int, error)  { return os.Stdin.Read(p) }
func (pipe) Write(p []byte) (int, error) { return os.Stdout.Write(p) }
func (pipe) Close() error                { return errors.Join(os.Stdin.Close(), os.Stdout.Close()) }

// errorsOnly drops yamux's warnings: a window update that crosses the peer's last FIN finds no stream, which is fine.
type errorsOnly struct{}

func (errorsOnly) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("[WARN]")) {
		return len(p), nil
	}
	return os.Stderr.Write(p)
}

func config() *yamux.Config {
	config := yamux.DefaultConfig()
	config.LogOutput = errorsOnly{}
	return config
}

func serve() error {
	session, err := yamux.Server(pipe{}, config())
	if err != nil {
		return err
	}
	if _, err := session.Ping(); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	for {
		stream, err := session.Accept()
		if err != nil {
			// The other side is done.
			return nil
		}
		go func() {
			if _, err := io.Copy(stream, stream); err != nil {
				log.Printf("echo: %v", err)
			}
			if err := stream.Close(); err != nil {
				log.Printf("close: %v", err)
			}
		}()
	}
}

func call(streams, size int) error {
	session, err := yamux.Client(pipe{}, config())
	if err != nil {
		return err
	}
	results := make([]error, streams)
	var running sync.WaitGroup
	for i := range results {
		running.Add(1)
		go func() {
			defer running.Done()
			results[i] = exchange(session, byte(i), size)
		}()
	}
	if _, err := session.Ping(); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	running.Wait()
	if err := errors.Join(results...); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "ok")
	return session.Close()
}

// exchange sends size bytes, ends its direction, and compares the echo.
func exchange(session *yamux.Session, seed byte, size int) error {
	stream, err := session.Open()
	if err != nil {
		return err
	}
	sent := make([]byte, size)
	for i := range sent {
		sent[i] = byte(i*7) + seed
	}
	failed := make(chan error, 1)
	go func() {
		if _, err := stream.Write(sent); err != nil {
			failed <- err
			return
		}
		failed <- stream.Close()
	}()
	got, err := io.ReadAll(stream)
	if err := errors.Join(err, <-failed); err != nil {
		return err
	}
	if !bytes.Equal(sent, got) {
		return fmt.Errorf("stream %d: sent %d bytes, got other %d", seed, len(sent), len(got))
	}
	return nil
}

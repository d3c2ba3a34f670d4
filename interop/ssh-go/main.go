// Command ssh-go is Go's stock SSH client, golang.org/x/crypto/ssh, for tests of a server on a local port.
//
//	ssh-go PORT CHECK
//
// It runs one check and prints "ok" on stdout; anything else is a failure. The checks are those of
// interop/ssh-go.test.ts.
package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

var checks = map[string]func(*ssh.Client) error{
	"command":   command,
	"signal":    signal,
	"terminal":  terminal,
	"sessions":  sessions,
	"port":      port,
	"listen":    listen,
	"socket":    socket,
	"keepalive": keepalive,
	"rekey":     rekey,
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 || checks[os.Args[2]] == nil {
		log.Fatal("usage: ssh-go PORT CHECK")
	}
	config := &ssh.ClientConfig{
		User:            "anybody",
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		Timeout:         30 * time.Second,
	}
	if os.Args[2] == "rekey" {
		config.RekeyThreshold = 1 << 20
	}
	client, err := ssh.Dial("tcp", "127.0.0.1:"+os.Args[1], config)
	if err == nil {
		err = checks[os.Args[2]](client)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ok")
}

func open(client *ssh.Client) *ssh.Session {
	session, err := client.NewSession()
	if err != nil {
		log.Fatal(err)
	}
	return session
}

// command checks input, output on both streams, a variable and an exit status.
func command(client *ssh.Client) error {
	session := open(client)
	var out, failures bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader("input"), &out, &failures
	if err := session.Setenv("LC_TEST", "1"); err != nil {
		return err
	}
	err := session.Run(`cat; echo ",$LC_TEST"; echo failure >&2; exit 7`)
	var exit *ssh.ExitError
	if !errors.As(err, &exit) || exit.ExitStatus() != 7 {
		return fmt.Errorf("ended with %v", err)
	}
	return want(out.String()+failures.String(), "input,1\nfailure\n")
}

func signal(client *ssh.Client) error {
	session := open(client)
	out, err := session.StdoutPipe()
	if err != nil {
		return err
	}
	if err := session.Start(`trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 0.05; done`); err != nil {
		return err
	}
	if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
		return err
	}
	if err := session.Signal(ssh.SIGUSR1); err != nil {
		return err
	}
	rest, err := io.ReadAll(out)
	if err != nil {
		return err
	}
	var exit *ssh.ExitError
	if err := session.Wait(); !errors.As(err, &exit) || exit.ExitStatus() != 3 {
		return fmt.Errorf("ended with %v", err)
	}
	return want(string(rest), "got\n")
}

// terminal checks a size, which changes.
func terminal(client *ssh.Client) error {
	session := open(client)
	out, err := session.StdoutPipe()
	if err != nil {
		return err
	}
	if err := session.RequestPty("xterm", 40, 132, ssh.TerminalModes{ssh.ECHO: 0}); err != nil {
		return err
	}
	if err := session.Start(`trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.05; done`); err != nil {
		return err
	}
	if _, err := io.ReadFull(out, make([]byte, len("40 132\r\n"))); err != nil {
		return err
	}
	if err := session.WindowChange(50, 100); err != nil {
		return err
	}
	rest, err := io.ReadAll(out)
	if err != nil {
		return err
	}
	return want(string(rest), "50 100\r\n")
}

// sessions opens many sessions concurrently on one connection.
func sessions(client *ssh.Client) error {
	var all sync.WaitGroup
	faults := make(chan error, 100)
	for number := range 100 {
		all.Go(func() {
			out, err := open(client).Output(fmt.Sprintf("sleep 0.1; echo %d", number))
			if err == nil {
				err = want(string(out), fmt.Sprintf("%d\n", number))
			}
			faults <- err
		})
	}
	all.Wait()
	close(faults)
	for err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// port connects through the server and closes each direction separately.
func port(client *ssh.Client) error {
	return echoed(client, "tcp", "127.0.0.1:0")
}

func socket(client *ssh.Client) error {
	directory, err := os.MkdirTemp("", "ssh-go-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	return echoed(client, "unix", directory+"/socket")
}

func echoed(client *ssh.Client, network, address string) error {
	listener, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	defer listener.Close()
	go func() {
		accepted, err := listener.Accept()
		if err != nil {
			return
		}
		defer accepted.Close()
		all, _ := io.ReadAll(accepted)
		accepted.Write(append([]byte("echo "), all...))
	}()
	connection, err := client.Dial(network, listener.Addr().String())
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "hello"); err != nil {
		return err
	}
	if err := connection.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	return want(string(answer), "echo hello")
}

// listen makes the server listen on a port of its choice.
func listen(client *ssh.Client) error {
	listener, err := client.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		accepted, err := listener.Accept()
		if err != nil {
			return
		}
		io.WriteString(accepted, "from the client")
		accepted.Close()
	}()
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	if err := listener.Close(); err != nil {
		return err
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		return errors.New("the server still listens")
	}
	return want(string(answer), "from the client")
}

// keepalive expects an answer, whether the server knows the request or not (RFC 4254, 4).
func keepalive(client *ssh.Client) error {
	for range 100 {
		if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
			return err
		}
	}
	return nil
}

// rekey transfers bytes both ways while keys are exchanged after each megabyte.
func rekey(client *ssh.Client) error {
	sent := make([]byte, 16<<20)
	rand.Read(sent)
	session := open(client)
	session.Stdin = bytes.NewReader(sent)
	received, err := session.Output("cat")
	if err != nil {
		return err
	}
	if !bytes.Equal(received, sent) {
		return fmt.Errorf("%d bytes came back, or others", len(received))
	}
	return nil
}

func want(found, wanted string) error {
	if found != wanted {
		return fmt.Errorf("%q, wanted %q", found, wanted)
	}
	return nil
}
